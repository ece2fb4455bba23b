"""The exercises of 05_vectorized_backprop."""
