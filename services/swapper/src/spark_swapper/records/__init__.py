"""What is kept of every swap, and told of it."""
