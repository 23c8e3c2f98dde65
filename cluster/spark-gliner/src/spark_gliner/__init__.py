"""The GLiNER server of a Spark: which strings of a text are names, addresses, companies."""
