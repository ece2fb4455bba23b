"""The exercises of 14_attention."""
