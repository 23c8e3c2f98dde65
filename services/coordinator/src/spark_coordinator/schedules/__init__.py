"""Schedules: what outside schedulers say they will run, and what the coordinator runs itself."""
