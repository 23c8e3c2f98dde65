"""What tests of health share: the words of a real Spark."""
