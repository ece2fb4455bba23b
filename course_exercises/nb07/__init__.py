"""The exercises of 07_array_tape."""
