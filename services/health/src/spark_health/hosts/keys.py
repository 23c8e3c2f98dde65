"""Every Redis key of the Sparks as machines."""

WAKE_ADDRESSES = "sc:health:wake-addresses"
"""Hash: where a magic packet goes, by Spark, remembered while it is off."""
WAKES = "sc:health:wakes"
"""Hash: the last attempt to wake each Spark."""
