"""What speech costs beside the simplest ways to do the same."""
