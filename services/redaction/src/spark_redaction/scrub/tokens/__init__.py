"""Placeholders: how they are written, handed out, and turned back."""
