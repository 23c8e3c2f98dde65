"""The embedding server of the Sparks: dense and sparse vectors, and a reranker, on one port."""
