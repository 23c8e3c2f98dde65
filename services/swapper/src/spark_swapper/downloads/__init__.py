"""Downloads: a repository from the hub to one Spark, and from there to the others."""
