"""What the lease costs beside bare Redis."""
