"""Tests of `lecture`."""
