"""Text to speech: what is asked, who speaks it, and how the sound goes out."""
