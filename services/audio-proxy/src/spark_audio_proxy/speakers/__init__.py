"""Voices beyond one recording: clustering, sessions, enrolment and matching."""
