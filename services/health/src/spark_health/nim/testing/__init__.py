"""Behaving fakes of the NIM installer."""
