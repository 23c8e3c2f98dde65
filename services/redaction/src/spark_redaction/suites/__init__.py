"""The release gates: offline, by themselves, exit code 1 when something leaks or does not return."""
