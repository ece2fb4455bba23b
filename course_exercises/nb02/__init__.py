"""The exercises of 02_network_by_hand."""
