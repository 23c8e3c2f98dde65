"""The read-only page of how everything is: no control, no secret, no script needed."""
