"""One file for each class of identifier with a shape."""
