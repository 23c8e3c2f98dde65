"""What a chat request costs when it goes through the gateway instead of straight to vLLM."""
