"""The HTTP side: bodies with a limit, errors without their input."""
