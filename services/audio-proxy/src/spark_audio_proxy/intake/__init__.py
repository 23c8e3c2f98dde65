"""How audio comes in: counted while it is read, spooled to disk, gone after the request."""
