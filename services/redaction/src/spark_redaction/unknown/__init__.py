"""Names that nobody listed: a model on the Sparks is asked, and what it says is only ever added."""
