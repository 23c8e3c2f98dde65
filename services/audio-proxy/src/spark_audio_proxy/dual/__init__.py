"""Two channels of one talk: the local microphone, and what comes from the remote side."""
