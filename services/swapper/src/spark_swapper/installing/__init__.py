"""Builds the containers that run beside the model on a Spark, and starts them there."""
