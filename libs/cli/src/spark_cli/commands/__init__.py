"""One module per command of sparkctl."""
