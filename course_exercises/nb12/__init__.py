"""The exercises of 12_compiled_tape."""
