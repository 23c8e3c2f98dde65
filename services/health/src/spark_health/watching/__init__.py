"""Looks at every target on its own interval, judges what is seen, and tells what changed."""
