"""The Sparks as machines: one round trip per poll, what it says, and how it was."""
