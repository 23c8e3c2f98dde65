"""vLLM's HTTP surface, with the shapes that a real 0.32 puts on the wire."""
