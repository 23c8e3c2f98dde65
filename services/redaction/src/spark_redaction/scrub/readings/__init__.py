"""Other ways to read a text: without markup, over its line breaks, turned round, decoded."""
