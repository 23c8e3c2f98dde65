"""Who may use the GPU of speech now: one count for all replicas, and a fair line before it."""
