"""Whose turn it is: as many at an upstream as it can take, the others in a fair line."""
