"""What goes wrong with one running product, one thing after the other."""
