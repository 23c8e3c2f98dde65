"""One service, one job, one file."""
