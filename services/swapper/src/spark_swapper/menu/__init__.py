"""What can be loaded: disks and recipes together."""
