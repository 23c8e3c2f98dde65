"""The map of placeholders on disk: encrypted, forgotten on time, never guessed open."""
