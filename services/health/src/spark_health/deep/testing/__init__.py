"""Behaving fakes of what deep checks need."""
