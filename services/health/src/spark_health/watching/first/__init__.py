"""The plain looks at hosts and services; features that look deeper take their place."""
