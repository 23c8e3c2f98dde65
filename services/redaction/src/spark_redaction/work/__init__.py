"""What costs processor time, in processes of its own, each call with an end."""
