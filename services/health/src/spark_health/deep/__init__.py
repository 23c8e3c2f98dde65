"""Puts real work through each service, and remembers how it went."""
