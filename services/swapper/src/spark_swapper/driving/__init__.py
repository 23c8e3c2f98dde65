"""Carries an accepted swap to its one end."""
