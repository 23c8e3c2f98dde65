"""Follows a load: how far, whether alive, why it failed."""
