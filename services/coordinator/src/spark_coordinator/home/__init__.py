"""The home model: comes back when nobody needs the cluster."""
