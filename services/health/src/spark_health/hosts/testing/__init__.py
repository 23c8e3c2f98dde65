"""Sparks and packets that do as a test says."""
