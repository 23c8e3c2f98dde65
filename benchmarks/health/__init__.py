"""How long a fault takes to be told and shown."""
