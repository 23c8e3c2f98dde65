"""Webhooks and notifications: who is told what happened, and what became of every delivery."""
