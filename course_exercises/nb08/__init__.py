"""The exercises of 08_modules_and_optimizers."""
