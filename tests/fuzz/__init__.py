"""Input that nobody wrote, at the doors and in the parser."""
