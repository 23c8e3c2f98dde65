"""sparkctl: starts spark-control on this machine and talks to a running one."""
