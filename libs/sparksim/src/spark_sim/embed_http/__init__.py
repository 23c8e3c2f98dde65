"""The embedding server of a Spark: dense and sparse vectors and a reranker over one port."""
