"""Whether a swap may happen, and what it would do."""
