"""How soon the product answers, notices and shows, and what that takes of memory."""
