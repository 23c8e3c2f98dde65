"""What is said instead of written: numbers in words, addresses read out, names spelled."""
