"""What all tests of the compiler may ask for."""

from tests.course_utils.compiler.plain import plain

__all__ = ["plain"]
