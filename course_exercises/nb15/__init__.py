"""The exercises of 15_when_the_engine_is_wrong."""
