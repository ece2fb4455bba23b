"""Tests of the course: package, notebooks, house."""
