"""Collect and grade with nbgrader: see `lecture/grading/__main__.py`."""
