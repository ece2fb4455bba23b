"""The exercises of 11_pytorch_and_beyond."""
