"""What several exercises of 09 share."""

import numpy as np

MEAN, STD = np.float32(0.1307), np.float32(0.3081)


MEAN, STD = np.float32(0.1307), np.float32(0.3081)
