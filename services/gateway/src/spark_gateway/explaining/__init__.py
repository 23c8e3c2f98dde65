"""The loaded model explains what an update would bring, in words for people."""
