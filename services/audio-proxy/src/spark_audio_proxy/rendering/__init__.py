"""A transcript in the six formats of the OpenAI API, and as a stream of events."""
