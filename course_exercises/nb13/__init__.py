"""The exercises of 13: convolution, pooling, and digits that are anywhere."""
