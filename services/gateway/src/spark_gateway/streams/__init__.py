"""Server-sent events: one reader per stream of the bus, any number of clients."""
