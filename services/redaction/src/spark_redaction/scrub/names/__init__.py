"""Known people and companies, in the forms people write them."""
