"""The exercises of 01_chain_rule."""
