"""The HTTP side: routes by noun, one envelope for every error."""
