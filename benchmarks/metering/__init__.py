"""What it costs that every request is metered and logged."""
