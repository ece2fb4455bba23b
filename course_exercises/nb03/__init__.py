"""The exercises of 03_tape_engine."""
