"""The speech container of a Spark: files that can be read and replaced, a process, a port."""
