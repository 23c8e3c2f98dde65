"""What every spark-control service stands on: events, bus, clock, errors, remote commands."""
