"""What a request costs when it goes through the gateway instead of straight to vLLM."""
