"""Tests of `course_exercises`."""
