"""Tests of what is built for the lecture hall, in a real browser."""
