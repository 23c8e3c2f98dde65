"""How much a look at the models of a Spark costs."""
