"""Search in the collections of Qdrant: embed, ask, rerank, and say what was missing."""
