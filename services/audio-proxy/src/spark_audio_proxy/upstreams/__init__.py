"""The servers that hear and speak, each behind one adapter."""
