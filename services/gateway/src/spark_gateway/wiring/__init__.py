"""Parts of the composition root, each with what belongs together."""
