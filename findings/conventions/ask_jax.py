"""JAX's answers."""

import jax
import jax.numpy as jnp
from asking import ask
from jax import lax, nn

W = jnp.array([0.3, -0.6, 0.9, 0.1])


def grad(f, *at):
    return jax.grad(f, tuple(range(len(at))))(*map(jnp.array, at))


def layer_norm(x):
    return (nn.standardize(x, epsilon=0.0) * W).sum()


def pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (2, 2), (2, 2), "VALID").sum()


def soft(z):
    return -(nn.log_softmax(z) * jnp.array([1.0, 1, 0])).sum()


WINDOWS = jnp.array([[0, 1, 2], [1, 2, 3], [2, 3, 4]])


def ignored(z):
    return jnp.mean(-nn.log_softmax(z)[None, 1], where=jnp.array([False]))


FUNCTIONS = {
    "relu at 0": nn.relu,
    "|x| at 0": jnp.abs,
    "maximum(a, b), tie": jnp.maximum,
    "minimum(a, b), tie": jnp.minimum,
    "max of (1, 1)": jnp.max,
    "clip to [0, 1] at 1": lambda x: jnp.clip(x, 0, 1),
    "norm of (0, 0)": jnp.linalg.norm,
    "std of (1, 1, 1)": jnp.std,
    "least of sorted (1, 1, 1)": lambda x: jnp.sort(x)[0],
    "median of (1, 1, 1)": jnp.median,
    "max pool, four equal": pool,
    "sqrt at 0": jnp.sqrt,
    "a^b at (0, 0)": jnp.power,
    "where(x > 0, √x, 0) at 0": lambda x: jnp.where(x > 0, jnp.sqrt(x), 0.0),
    "where(x > 0, log x, 0) at 0": lambda x: jnp.where(x > 0, jnp.log(x), 0.0),
    "logsumexp of (−∞, −∞)": jax.scipy.special.logsumexp,
    "x/|x| at (0, 0), first": lambda x: (x / jnp.linalg.norm(x))[0],
    "1/(1 + exp(−x)) at −1000": lambda x: 1 / (1 + jnp.exp(-x)),
    "atan2(y, x) at (0, 0)": jnp.arctan2,
    "mean of no rows": lambda w: (jnp.zeros((0, 2)) @ w).mean(),
    "loss, all labels ignored": ignored,
    "maximum(x, x) at 1": lambda x: jnp.maximum(x, x),
    "x⁰ at 0": lambda x: x**0.0,
    "product of (0, 2, 3)": jnp.prod,
    "product of (0, 0, 3)": jnp.prod,
    "Σ cumprod of (0, 2, 3)": lambda x: jnp.cumprod(x).sum(),
    "det (1 1; 1 1)": jnp.linalg.det,
    "det (0 0; 0 2)": jnp.linalg.det,
    "log_softmax of (−∞, 0), second": lambda x: nn.log_softmax(x)[1],
    "soft labels (1, 1, 0)": soft,
    "elu at 0": nn.elu,
    "logaddexp at (0, 0)": jnp.logaddexp,
    "read x[0, 0, 1]": lambda x: x[jnp.array([0, 0, 1])].sum(),
    "write y[1, 1] = v, y₁": lambda v: jnp.zeros(3).at[jnp.array([1, 1])].set(v)[1],
    "overlapping windows": lambda x: x[WINDOWS].sum(),
    "normalised, no scale": layer_norm,
    "integer input: x/2 at 3": lambda x: 0.5 * x,
}

if __name__ == "__main__":
    ask("JAX", jax.__version__, FUNCTIONS, grad)
