"""The control routes, one module per noun."""
