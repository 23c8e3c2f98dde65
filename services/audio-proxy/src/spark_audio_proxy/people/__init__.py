"""People by their voices: enrolled ones, those a caller sends along, and sessions of chunks."""
