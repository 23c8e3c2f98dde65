"""Protects the Sparks' memory: the test before a swap, the watch during it, the memory after it."""
