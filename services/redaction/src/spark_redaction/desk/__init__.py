"""What may be asked: scrub, rehydrate, verify, forget."""
