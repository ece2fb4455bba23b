"""The exercises of 09_training_mnist."""
