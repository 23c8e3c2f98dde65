"""Behaving fakes of what remedies need."""
