"""Long recordings: where to cut them, and how the parts become one again."""
