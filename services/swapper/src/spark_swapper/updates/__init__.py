"""Cluster software: the launcher's checkout and its images, looked at, updated, taken back."""
