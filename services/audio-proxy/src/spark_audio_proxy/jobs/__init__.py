"""Long recordings whose callers do not wait: taken on, worked off, looked at."""
