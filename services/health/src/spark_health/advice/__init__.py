"""What is known to make trouble on a Spark: one small file per check."""
