"""Texts inside other things: JSON, chat messages, tool arguments."""
