"""The exercises of 04_gradient_checking."""
