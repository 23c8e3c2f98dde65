"""What is done when the speech server is stuck: nothing is sent to it, and who waits is told."""
