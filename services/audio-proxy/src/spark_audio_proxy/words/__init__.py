"""Words: read from what an upstream answers, and joined into text."""
