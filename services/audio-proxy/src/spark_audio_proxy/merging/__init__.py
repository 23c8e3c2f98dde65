"""Who said which word: words with times and speakers with times become blocks."""
