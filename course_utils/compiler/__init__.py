"""The tape as a program (notebook 12)."""
