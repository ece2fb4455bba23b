"""The course in a browser tab, with nothing installed."""
