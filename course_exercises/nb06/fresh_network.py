"""06.4 · Predict: a network that knows nothing."""

from math import e, log, log2, log10

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


LOSS, LABEL, ELSEWHERE, FLOOR = ex.outputs

# --- the loss

ex.guess("loss-summed", {LOSS: 5 * log(4)}, SOFTMAX).says("""
    This is the sum over the five examples. The loss is a mean over the batch.
""")
ex.guess("loss-divided", {LOSS: log(4) / 5}, SOFTMAX).says("""
    It is divided by five once more. Every example has the same loss: what is the mean
    of five equal numbers?
""")
ex.guess("loss-is-probability", {LOSS: 0.25}, SOFTMAX).says("""
    This is the probability of the right class. The loss is the *negative logarithm* of
    it.
""")
ex.guess("loss-positive-log", {LOSS: -log(4)}, SOFTMAX).says("""
    The logarithm of a probability is negative. In the loss a minus stands before it.
""")
ex.guess("loss-zero", {LOSS: 0.0}, TRAIN).says("""
    No loss at all has a network that is sure and right. This one knows nothing.
""")
ex.guess("base-ten", {LOSS: log10(4), FLOOR: log10(1 + 3 / e)}, SOFTMAX).says("""
    This logarithm has the base 10. That of the course is the natural one.
""")
ex.guess("base-two", {LOSS: 2.0, FLOOR: log2(1 + 3 / e)}, SOFTMAX).says("""
    This logarithm has the base 2. That of the course is the natural one.
""")

# --- any other number

ex.mistake("loss-otherwise", SOFTMAX).says("""
    Begin with the probability of the label, when all four classes are alike. The loss
    of an example is the negative logarithm of it.
""")
ex.mistake("gradient-otherwise", SOFTMAX).says("""
    The gradient is prediction minus truth, over the number of examples. Which of the
    three is another number in yours?
""")
ex.mistake("floor-otherwise", TRAIN).says("""
    What is the best that a first softmax can hand on as logits? Put that into the loss.
""")


@ex.looked
def look_at_each(answer, run):
    """Point at what each wrong number is made of."""
    about = "loss", "gradient", "gradient", "floor"
    pairs = zip(about, answer, ex.reference(), strict=True)
    wrong = [name for name, a, b in pairs if not np.isclose(a, b, rtol=4e-3)]
    return [ex.named(f"{name}-otherwise") for name in dict.fromkeys(wrong)]


# --- which number divides, and which is chosen from

ex.guess(
    "n-for-k",
    {LOSS: log(5), LABEL: -0.16, ELSEWHERE: 0.04, FLOOR: log(1 + 4 / e)},
    SOFTMAX,
).says("""
    Five is the number of examples. How many classes are there to choose from?
""")
ex.guess(
    "ten-classes",
    {LOSS: log(10), LABEL: -0.18, ELSEWHERE: 0.02, FLOOR: log(1 + 9 / e)},
    TRAIN,
).says("""
    This is the number for ten classes. Here are four.
""")
ex.guess(
    "two-classes",
    {LOSS: log(2), LABEL: -0.1, ELSEWHERE: 0.1, FLOOR: log(1 + 1 / e)},
    TRAIN,
).says("""
    This is the number for two classes. Here are four.
""")
ex.guess("no-mean", {LABEL: -0.75, ELSEWHERE: 0.25}, SOFTMAX).says("""
    The gradient of one example alone would be this. The loss is a mean over the batch,
    and its $1/N$ comes in here too.
""")
ex.guess("four-for-n", {LABEL: -0.75 / 4, ELSEWHERE: 0.25 / 4}, SOFTMAX).says("""
    It is divided by the number of classes. The mean is one over the examples.
""")
ex.guess("over-entries", {LABEL: -0.0375, ELSEWHERE: 0.0125}, SOFTMAX).says("""
    It is divided by the number of classes as well. The mean of cross-entropy runs over
    the examples alone.
""")

# --- prediction minus truth

ex.guess("gradient-reversed", {LABEL: 0.15, ELSEWHERE: -0.05}, SOFTMAX).says("""
    The sign is reversed: this is truth minus prediction. More of the right logit makes
    the loss smaller, more of another one makes it larger.
""")
ex.guess("truth-missing", {LABEL: 0.05}, SOFTMAX).says("""
    This is the probability over $N$; the truth is not subtracted. At the label it is 1.
""")
ex.guess("truth-alone", {LABEL: -0.2}, SOFTMAX).says("""
    This is the truth alone, without a prediction. A network that knows nothing still
    says something: it gives every class the same probability.
""")
ex.guess("truth-everywhere", {ELSEWHERE: -0.15}, SOFTMAX).says("""
    The truth is 1 at the label alone. Elsewhere it is 0.
""")
ex.guess("exchanged", {LABEL: 0.05, ELSEWHERE: -0.15}, SOFTMAX).says("""
    The two are exchanged. Where is the truth 1, and where is it 0?
""")
ex.guess("truth-not-divided", {LABEL: 0.05 - 1, ELSEWHERE: 0.05 - 1}, SOFTMAX).says("""
    Only the probability is divided by $N$. The whole difference is, prediction minus
    truth.
""")
ex.guess("label-alone", {ELSEWHERE: 0.0}, SOFTMAX).says("""
    The loss looks at the label's probability alone. But through the softmax every logit
    of the row has a say in it: these logits are pushed, too.
""")
ex.guess("for-the-probabilities", {LABEL: -0.8}, SOFTMAX).says("""
    This is the gradient for the *probability*, $-1/p$ over $N$. From there it goes on,
    through the softmax, to the logits.
""")

# --- the smallest loss

ex.guess("floor-zero", {FLOOR: 0.0}, TRAIN).says("""
    The loss would be 0 if the logits could be as far apart as they like. What comes out
    of a first softmax lies between 0 and 1.
""")
ex.guess("floor-equal", {FLOOR: log(4)}, TRAIN).says("""
    This is the loss of equal probabilities. The best that the first softmax can hand on
    is a 1 at the label and 0 elsewhere.
""")
ex.guess("floor-worst", {FLOOR: log(1 + 3 * e)}, TRAIN).says("""
    Here the label gets the small logit, and the others the large one. The *smallest*
    loss is asked for.
""")
ex.guess("floor-label-not-subtracted", {FLOOR: log(e + 3)}, TRAIN).says("""
    From the log-sum-exp the logit of the label has to be subtracted. At its best it is
    1.
""")
ex.guess("floor-probability", {FLOOR: e / (e + 3)}, TRAIN).says("""
    This is a probability, that of the label after the second softmax. The loss is its
    negative logarithm.
""")
