"""Two files of ours in the speech container: how they are, put in place, taken back, restarted."""
