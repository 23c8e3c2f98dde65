"""Programs that are written into the sandboxes."""
