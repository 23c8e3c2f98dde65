"""From a decoded recording to words, turns and answers."""
