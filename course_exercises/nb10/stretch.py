"""10.4 · Predict: grows, stays or falls."""

import numpy as np

from course_exercises.judge import Exercise
from course_utils import functional as F

WEIGHTS = "10_vanishing_exploding#How large should the first weights be?"
STRETCH = "10_vanishing_exploding#Singular values: how much a matrix stretches"
RUNS = {"linear": lambda z: z, "tanh": np.tanh, "ReLU": F.relu}
SLOPES = {
    "linear": np.ones_like,
    "tanh": lambda z: F.tanh_vjp(1.0, np.tanh(z)),
    "ReLU": lambda z: F.relu_vjp(1.0, z),
}
AVERAGE = (
    "With $v = 1/64$ the *mean* square of a vector stays, so the largest singular "
    "value can neither run away nor die: there are directions with more, and with less."
)
NO_GROWTH = (
    "Nothing here can grow: orthogonal matrices keep each length, and slopes are at "
    "most 1."
)

ex = Exercise(
    "10.4",
    "Predict: grows, stays or falls",
    outputs=(
        "normal, no. 1",
        "normal, no. 32",
        "orthogonal with tanh, no. 32",
        "orthogonal with ReLU, no. 1",
    ),
    hints=(
        "Look at the four panels on singular values: which lines are level, which "
        "fall, and by how much in 20 layers?",
        "Normal weights with $v = 1/64$ are Xavier's for a square layer, and there "
        "is no activation to take anything away. For the other two ask: what does "
        "$f$ do to lengths, if the matrix does nothing?",
        "Tanh makes a large $z$ smaller until it is small, and a small one passes "
        "unharmed. ReLU halves the mean square in every layer, and never stops.",
    ),
    explanation=(
        "Normal weights: the largest one stays within a factor of ten, the 32nd falls "
        "by several hundred: the needle. Orthogonal with tanh: all slopes come near "
        "1, and even the 32nd stays. Orthogonal with ReLU: a factor of about "
        "$1/\\sqrt2$ a layer, and $2^{-10}$ is about a thousandth."
    ),
)


def normal(std):
    return lambda fan_in, fan_out, rng: rng.normal(0, std, (fan_in, fan_out))


def orthogonal(fan_in, fan_out, rng):
    return np.linalg.qr(rng.normal(size=(fan_in, fan_out)))[0]


def products_of_jacobians(act, init, depth=20, n=64):
    """Do what the notebook's function of this name does."""
    rng = np.random.default_rng(4)
    h, product, products = rng.normal(size=n), np.eye(n), []
    for _ in range(depth):
        W = init(n, n, rng)
        product = product @ (W * SLOPES[act](h @ W))
        h = RUNS[act](h @ W)
        products.append(product)
    return products


@ex.answer
def fates():
    def fate(act, init, number):
        products = products_of_jacobians(act, init)
        values = np.linalg.svd(products, compute_uv=False)[:, number - 1]
        factor = values[-1] / values[0]  # from 1 layer to 20
        return "grows" if factor > 100 else "falls" if factor < 0.01 else "stays"

    return (
        fate("linear", normal(1 / 8), 1),
        fate("linear", normal(1 / 8), 32),
        fate("tanh", orthogonal, 32),
        fate("ReLU", orthogonal, 1),
    )


LARGEST, MIDDLE, TANH, RELU = ex.outputs

ex.guess("explodes", {LARGEST: "grows"}, STRETCH).says(AVERAGE)
ex.guess("dies", {LARGEST: "falls"}, STRETCH).says(AVERAGE)
ex.guess("a-circle-stays", {MIDDLE: "stays"}, STRETCH).says("""
    The size stays on average, the shape does not: a product of random matrices turns
    the circle into a needle. What of the directions across the needle?
""")
ex.guess("slopes-below-one", {TANH: "falls"}, STRETCH).says("""
    Tanh's slopes are at most 1, and near 1 where $z$ is small. How large is $z$ after a
    few layers that make it smaller each time?
""")
ex.guess("half-forgotten", {RELU: "stays"}, WEIGHTS).says("""
    An orthogonal matrix keeps the length, and ReLU then throws half of it away, in each
    layer. What did He's rule need its 2 for?
""")
ex.guess("middle-grows", {MIDDLE: "grows"}, STRETCH).says("""
    The largest one only stays, and the 32nd is smaller in each product.
""")
ex.guess("tanh-grows", {TANH: "grows"}, STRETCH).says(NO_GROWTH)
ex.guess("relu-grows", {RELU: "grows"}, STRETCH).says(NO_GROWTH)
