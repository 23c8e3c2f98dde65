"""How many speakers can be told apart; without NumPy, for those who only want to know that."""

BANDS = 8
