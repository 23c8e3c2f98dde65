"""The request log: a line per request of the data plane, thirty days. Never what was said."""
