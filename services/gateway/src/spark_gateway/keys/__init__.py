"""API keys at the gateway: known in memory, checked at every head, never told to anybody."""
