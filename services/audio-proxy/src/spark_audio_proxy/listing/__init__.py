"""What there is to hear and to speak with, in the shapes that clients look for."""
