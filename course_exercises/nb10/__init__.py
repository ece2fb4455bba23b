"""The exercises of 10_vanishing_exploding."""
