"""What the exercises of 13 share."""

HAND = "13_convolution#Eight numbers by hand"
BACK = "13_convolution#The way back, three times"
VIEW = "13_convolution#Windows are a view"
POOLING = "13_convolution#Pooling"
READER = "13_convolution#A network that reads"
MOVES = "13_convolution#A digit moves"
NO_ACTIVATION = "there is no activation"
