"""The exercises of 06_layers_and_losses."""
