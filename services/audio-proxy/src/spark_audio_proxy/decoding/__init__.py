"""Foreign media become 16 kHz samples, in processes that may die of it."""
