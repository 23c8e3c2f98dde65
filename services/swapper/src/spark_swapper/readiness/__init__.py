"""What says that a model serves, and keeps looking."""
