"""06.4 · Predict: a network that knows nothing."""

from math import e, log, log10

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

SOFTMAX = "06_layers_and_losses#Softmax"
TRAIN = "06_layers_and_losses#Mistakes that train"

ex = Exercise(
    "06.4",
    "Predict: a network that knows nothing",
    outputs=("loss", "at the label", "elsewhere", "smallest, softmax twice"),
    tolerance=4e-3,
    hints=(
        "All logits are equal, so all classes are equally likely. What is the "
        "probability of each?",
        r"The loss of each example is $-\log\frac14$. The gradient is $(p - y)/N$, "
        "with $N = 5$.",
        "With softmax twice, the best logits that a first softmax can offer are $(1, "
        r"0, 0, 0)$. Put them into $\operatorname{logsumexp}(z) - z_t$.",
    ),
    explanation=(
        "Equal logits give each of the four classes the probability ¼: the loss is "
        r"$\log 4 = 1.386$, the gradient $(\frac14 - 1)/5 = -0.15$ at the label and "
        r"$\frac14/5 = 0.05$ elsewhere. Softmax twice offers at best the logits $(1, "
        r"0, 0, 0)$, with the loss $\log(1 + 3/e) = 0.744$."
    ),
)


@ex.answer
def fresh():
    logits, labels = np.zeros((5, 4)), np.array([0, 1, 2, 3, 0])
    loss = F.softmax_cross_entropy(logits, labels)
    grad = F.softmax_cross_entropy_vjp(1.0, logits, labels)
    floor = F.softmax_cross_entropy(np.eye(4), np.arange(4))  # probabilities as logits
    return loss, grad[0, 0], grad[0, 1], floor


ex.guess("no-mean", (5 * log(4), -0.75, 0.25, log(1 + 3 / e)), SOFTMAX).says("""
    This is the number of one example, or the sum over five. The loss is a mean over the
    batch, and its gradient has a $1/N$ in it.
""")

ex.guess(
    "over-entries", (log(4) / 4, -0.0375, 0.0125, log(1 + 3 / e) / 4), SOFTMAX
).says("""
    This is divided by the number of classes as well. The mean of cross-entropy runs
    over the examples alone.
""")

ex.guess("probability", (0.25, 0.05, 0.25 / 5 - 1, 0.0), SOFTMAX).says("""
    Is this a probability? The loss is the *negative logarithm* of one; its gradient is
    the probability *minus the truth*, over $N$. And with softmax twice, what goes in as
    logits lies between 0 and 1: the loss cannot reach 0.
""")

ex.guess("n-for-k", (log(5), -0.16, 0.04, log(1 + 4 / e)), SOFTMAX).says("""
    Examples and classes are exchanged: there are four classes to choose from, and five
    examples to take the mean over.
""")

ex.guess("four-for-n", (log(4) / 5, -0.75 / 4, 0.25 / 4, log(4)), SOFTMAX).says("""
    Look at which number divides what: the mean is over five examples, each of which has
    the same loss. The smallest loss belongs to a network that is sure and right.
""")

ex.guess("base-ten", (log10(4), -1.0, 0.0, log10(1 + 3 / e)), SOFTMAX).says("""
    The logarithm of the course is the natural one. And a gradient of $-1$ and 0 would
    be that of a network with probability 0 for the right class; here each class has a
    quarter.
""")

ex.guess("ten-classes", (log(10), -0.18, 0.02, log(1 + 9 / e)), TRAIN).says("""
    This is the number for ten classes. Here are four.
""")

ex.guess("truth-alone", (0.0, -0.2, 0.0, 1.0), SOFTMAX).says("""
    The truth alone, without a prediction? A network that knows nothing still says
    something: it gives every class the same probability.
""")

ex.guess("two-classes", (log(2), -0.1, 0.1, log(1 + 1 / e)), TRAIN).says("""
    This is the number for two classes. Here are four.
""")
