"""The vector database of a Spark: collections, queries with prefetch and fusion, snapshots."""
