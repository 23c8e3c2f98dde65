"""Stories that are told of one running product, one after the other."""
