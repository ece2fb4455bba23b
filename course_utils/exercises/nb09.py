"""Exercises of 09_training_mnist."""

from dataclasses import replace
from functools import cache

import numpy as np

from course_utils import functional as F
from course_utils import nn
from course_utils.data import minibatches, mnist
from course_utils.optim import SGD
from course_utils.tensor import Tensor
from course_utils.training import fit, logits_of, train_step

from .exercise import Exercise, Mistake

SCALE = "09_training_mnist#One scale for all pixels"
SPOILT = "09_training_mnist#Three ways to spoil a number"
CHOOSE = "09_training_mnist#Choose with a validation split"
LOOKS = "09_training_mnist#What it looks at"
LOSSES = "06_layers_and_losses#Softmax"
ACTIVATIONS = "06_layers_and_losses#Activations"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"

# --- 09.1: a layer with dropout -------------------------------------------------------


def hidden_vjp(grad_out, X, W, b, mask):
    Z = X @ W + b  # (N, D) @ (D, H) -> (N, H)
    grad_Z = grad_out * mask * (Z > 0)
    return grad_Z @ W.T, X.T @ grad_Z, grad_Z.sum(axis=0)


def hidden_inputs(rng):
    def mask(N, H):
        kept = 2.0 * (rng.random((N, H)) < 0.5)
        kept[0, 0], kept[-1, -1] = 2, 0
        return kept

    sizes = (2, 3, 4), (5, 4, 3), (1, 3, 6), (4, 4, 4), (7, 2, 6)
    return [
        (
            rng.normal(size=(N, H)),
            rng.normal(size=(N, D)),
            rng.normal(size=(D, H)),
            rng.normal(size=H),
            mask(N, H),
        )
        for N, D, H in sizes
    ]


def hidden_by_rules(grad_out, X, W, b, mask):
    grad_H = F.mul_vjp(grad_out, F.relu(F.linear(X, W, b)), mask)[0]
    return F.linear_vjp(F.relu_vjp(grad_H, F.linear(X, W, b)), X, W)


def hidden_by_tape(grad_out, X, W, b, mask):
    x, w, c = Tensor(X), Tensor(W), Tensor(b)
    ((x @ w + c).relu() * mask * grad_out).sum().backward()
    return [x.grad, w.grad, c.grad]


def hidden_by_loops(grad_out, X, W, b, mask):
    grad_X, grad_W, grad_b = np.zeros_like(X), np.zeros_like(W), np.zeros_like(b)
    for n, j in np.ndindex(mask.shape):
        if mask[n, j] == 0 or X[n] @ W[:, j] + b[j] <= 0:
            continue
        g = 2 * grad_out[n, j]
        grad_b[j] += g
        grad_W[:, j] += g * X[n]
        grad_X[n] += g * W[:, j]
    return grad_X, grad_W, grad_b


def hidden_from(grad_Z, X, W):
    return grad_Z @ W.T, X.T @ grad_Z, grad_Z.sum(axis=0)


def hidden_relu_missing(grad_out, X, W, b, mask):
    return hidden_from(grad_out * mask, X, W)


def hidden_mask_missing(grad_out, X, W, b, mask):
    return hidden_from(grad_out * (X @ W + b > 0), X, W)


def hidden_not_doubled(grad_out, X, W, b, mask):
    return hidden_from(grad_out * (mask > 0) * (X @ W + b > 0), X, W)


def hidden_mask_twice(grad_out, X, W, b, mask):
    return hidden_from(grad_out * mask**2 * (X @ W + b > 0), X, W)


def hidden_mask_reversed(grad_out, X, W, b, mask):
    return hidden_from(grad_out * (2 - mask) * (X @ W + b > 0), X, W)


def hidden_mask_as_gate(grad_out, X, W, b, mask):
    return hidden_from(grad_out * (X @ W + b > mask), X, W)


def hidden_value_for_slope(grad_out, X, W, b, mask):
    return hidden_from(grad_out * mask * np.maximum(X @ W + b, 0), X, W)


def hidden_not_undone(grad_out, X, W, b, mask):
    return hidden_from(grad_out, X, W)


def hidden_gate_reversed(grad_out, X, W, b, mask):
    return hidden_from(grad_out * mask * (X @ W + b <= 0), X, W)


def hidden_forward_again(grad_out, X, W, b, mask):
    return hidden_from(np.maximum(X @ W + b, 0) * mask, X, W)


def hidden_assigned(grad_out, X, W, b, mask):
    grad_Z = grad_out * mask * (X @ W + b > 0)
    for x, g in zip(X, grad_Z, strict=True):
        grad_W, grad_b = np.outer(x, g), g
    return grad_Z @ W.T, grad_W, grad_b


def hidden_not_summed(grad_out, X, W, b, mask):
    grad_Z = grad_out * mask * (X @ W + b > 0)
    return grad_Z @ W.T, X.T @ grad_Z, grad_Z


def hidden_bias_missing(grad_out, X, W, b, mask):
    return hidden_from(grad_out * mask * (X @ W > 0), X, W)


# --- 09.2: labels that leave a doubt --------------------------------------------------


def smooth_vjp(grad_out, z, labels):
    N, K = z.shape
    q = np.full((N, K), 0.1 / K)
    q[np.arange(N), labels] += 0.9
    return grad_out * (F.softmax(z) - q) / N


def smooth_inputs(rng):
    sizes = (2, 3), (5, 10), (4, 4), (1, 5), (7, 10)
    return [
        (rng.uniform(0.5, 2), 2 * rng.normal(size=(N, K)), rng.integers(0, K, N))
        for N, K in sizes
    ]


def smooth_by_two_losses(grad_out, z, labels):
    hard = F.softmax_cross_entropy_vjp(grad_out, z, labels)
    even = grad_out * (F.softmax(z) - 1 / z.shape[1]) / len(z)
    return 0.9 * hard + 0.1 * even


def smooth_by_chain(grad_out, z, labels):
    q = 0.9 * np.eye(z.shape[1])[labels] + 0.1 / z.shape[1]
    log_probs = F.log_softmax(z)
    return F.log_softmax_vjp(-grad_out * q / len(q), log_probs)


def smooth_by_rows(grad_out, z, labels):
    rows = []
    for row, label in zip(z, labels, strict=True):
        powers = np.exp(row - row.max())
        g = powers / powers.sum() - 0.1 / len(row)
        g[label] -= 0.9
        rows.append([float(grad_out * x / len(z)) for x in g])
    return rows


def smooth_with(grad_out, z, p, q):
    return grad_out * (p - q) / len(z)


def targets(z, labels, at_label=0.9, elsewhere=None):
    K = z.shape[1]
    even = 0.1 / K if elsewhere is None else elsewhere
    return at_label * np.eye(K)[labels] + even


def smooth_hard(grad_out, z, labels):
    return F.softmax_cross_entropy_vjp(grad_out, z, labels)


def smooth_rest_missing(grad_out, z, labels):
    return smooth_with(grad_out, z, F.softmax(z), targets(z, labels, 0.9, 0))


def smooth_too_much(grad_out, z, labels):
    return smooth_with(grad_out, z, F.softmax(z), targets(z, labels, 1))


def smooth_others_only(grad_out, z, labels):
    K = z.shape[1]
    q = np.where(np.eye(K)[labels] == 1, 0.9, 0.1 / (K - 1))
    return smooth_with(grad_out, z, F.softmax(z), q)


def smooth_one_label(grad_out, z, labels):
    q = np.where(np.eye(z.shape[1])[labels] == 1, 0.9, 0.1 / z.shape[1])
    return smooth_with(grad_out, z, F.softmax(z), q)


def smooth_of_ten(grad_out, z, labels):
    return smooth_with(grad_out, z, F.softmax(z), targets(z, labels, 0.9, 0.01))


def smooth_per_example(grad_out, z, labels):
    q = targets(z, labels, 0.9, 0.1 / len(z))
    return smooth_with(grad_out, z, F.softmax(z), q)


def smooth_exchanged(grad_out, z, labels):
    q = targets(z, labels, 0.1, 0.9 / z.shape[1])
    return smooth_with(grad_out, z, F.softmax(z), q)


def smooth_without_softmax(grad_out, z, labels):
    return smooth_with(grad_out, z, z, targets(z, labels))


def smooth_softmax_twice(grad_out, z, labels):
    return smooth_with(grad_out, z, F.softmax(F.softmax(z)), targets(z, labels))


def smooth_over_examples(grad_out, z, labels):
    return smooth_with(grad_out, z, F.softmax(z.T).T, targets(z, labels))


def smooth_over_all(grad_out, z, labels):
    powers = np.exp(z - z.max())
    return smooth_with(grad_out, z, powers / powers.sum(), targets(z, labels))


def smooth_with_log(grad_out, z, labels):
    return smooth_with(grad_out, z, F.log_softmax(z), targets(z, labels))


def smooth_probs_alone(grad_out, z, labels):
    return smooth_with(grad_out, z, F.softmax(z), 0)


def smooth_targets_alone(grad_out, z, labels):
    return smooth_with(grad_out, z, 0, targets(z, labels))


def smooth_as_sigmoid(grad_out, z, labels):
    p = F.softmax(z)
    return smooth_with(grad_out, z, p, targets(z, labels)) * p * (1 - p)


def smooth_not_divided(grad_out, z, labels):
    return smooth_with(grad_out, z, F.softmax(z), targets(z, labels, 0.9, 0.1))


def smooth_through_softmax(grad_out, z, labels):
    p = F.softmax(z)
    return F.softmax_vjp(smooth_with(grad_out, z, p, targets(z, labels)), p)


def smooth_at_probs(grad_out, z, labels):
    return grad_out * -targets(z, labels) / F.softmax(z) / len(z)


# --- 09.3: two scales -----------------------------------------------------------------


def prepare(x_fit, x_val):
    mu, sigma = x_fit.mean(), x_fit.std()
    return (x_fit - mu) / sigma, (x_val - mu) / sigma


def prepare_inputs(rng):
    def pictures(rows, D):
        x = rng.beta(1, 3, (rows, D))
        x[:, 0] = 0  # paper in all of them
        return x

    sizes = (3, 2, 4), (6, 4, 5), (5, 5, 5), (9, 3, 6)
    return [(pictures(N, D), 0.8 * pictures(M, D)) for N, M, D in sizes]


def prepare_by_squares(x_fit, x_val):
    mu = np.sum(x_fit) / x_fit.size
    sigma = np.sqrt(np.mean(x_fit**2) - mu**2)
    return tuple((x - mu) / sigma for x in (x_fit, x_val))


def prepare_by_lists(x_fit, x_val):
    flat = [float(value) for row in x_fit for value in row]
    mu = sum(flat) / len(flat)
    sigma = (sum((value - mu) ** 2 for value in flat) / len(flat)) ** 0.5
    return [[[(v - mu) / sigma for v in row] for row in x] for x in (x_fit, x_val)]


def scaled(x, mu, sigma):
    return (x - mu) / sigma


def by_itself(x, axis=None):
    keep = axis == 1
    return scaled(x, x.mean(axis=axis, keepdims=keep), x.std(axis=axis, keepdims=keep))


def prepare_as_shown(x_fit, x_val):
    return by_itself(x_fit), by_itself(x_val, 0)


def prepare_nan_replaced(x_fit, x_val):
    return by_itself(x_fit), np.nan_to_num(by_itself(x_val, 0))


def prepare_own_scale(x_fit, x_val):
    return by_itself(x_fit), by_itself(x_val)


def prepare_by_pixel(x_fit, x_val):
    mu, sigma = x_fit.mean(axis=0), x_fit.std(axis=0)
    return scaled(x_fit, mu, sigma), scaled(x_val, mu, sigma)


def prepare_by_pixel_with_eps(x_fit, x_val):
    mu, sigma = x_fit.mean(axis=0), x_fit.std(axis=0) + 1e-8
    return scaled(x_fit, mu, sigma), scaled(x_val, mu, sigma)


def prepare_by_pixel_guarded(x_fit, x_val):
    mu, sigma = x_fit.mean(axis=0), x_fit.std(axis=0)
    sigma[sigma == 0] = 1
    return scaled(x_fit, mu, sigma), scaled(x_val, mu, sigma)


def prepare_own_mean(x_fit, x_val):
    return by_itself(x_fit), scaled(x_val, x_val.mean(), x_fit.std())


def prepare_own_deviation(x_fit, x_val):
    return by_itself(x_fit), scaled(x_val, x_fit.mean(), x_val.std())


def prepare_without_brackets(x_fit, x_val):
    mu, sigma = x_fit.mean(), x_fit.std()
    return x_fit - mu / sigma, x_val - mu / sigma


def prepare_n_minus_one(x_fit, x_val):
    return tuple(scaled(x, x_fit.mean(), x_fit.std(ddof=1)) for x in (x_fit, x_val))


def prepare_to_one(x_fit, x_val):
    return tuple((x - x.min()) / (x.max() - x.min()) for x in (x_fit, x_val))


def prepare_by_picture(x_fit, x_val):
    return by_itself(x_fit, 1), by_itself(x_val, 1)


def prepare_together(x_fit, x_val):
    both = np.concatenate([x_fit, x_val])
    return tuple(scaled(x, both.mean(), both.std()) for x in (x_fit, x_val))


def prepare_by_validation(x_fit, x_val):
    return tuple(scaled(x, x_val.mean(), x_val.std()) for x in (x_fit, x_val))


def prepare_of_mnist(x_fit, x_val):
    return tuple(scaled(x, MEAN, STD) for x in (x_fit, x_val))


def prepare_of_mnist_written_out(x_fit, x_val):
    return tuple(scaled(x, 0.1307, 0.3081) for x in (x_fit, x_val))


def prepare_not_at_all(x_fit, x_val):
    return by_itself(x_fit), x_val.copy()


def prepare_shifted_only(x_fit, x_val):
    return x_fit - x_fit.mean(), x_val - x_fit.mean()


def prepare_by_variance(x_fit, x_val):
    return tuple(scaled(x, x_fit.mean(), x_fit.var()) for x in (x_fit, x_val))


# --- 09.4: a step that hurts ----------------------------------------------------------


def pixel_gradient(x, labels, mean, std, W1, b1, W2, b2):
    X = (x - mean) / std
    Z = F.linear(X, W1, b1)
    logits = F.linear(F.relu(Z), W2, b2)
    grad_logits = F.softmax_cross_entropy_vjp(1.0, logits, labels)
    grad_Z = F.relu_vjp(grad_logits @ W2.T, Z)
    return grad_Z @ W1.T / std  # (N, H) @ (H, D) -> (N, D)


def pixel_inputs(rng):
    sizes = (2, 3, 4, 3), (5, 4, 6, 10), (1, 5, 4, 3), (3, 3, 3, 3), (6, 8, 5, 10)
    return [
        (
            rng.uniform(0.05, 1, (N, D)),
            rng.integers(0, K, N),
            rng.uniform(0.1, 0.3),
            rng.uniform(0.3, 0.6),
            rng.normal(size=(D, H)),
            rng.normal(size=H),
            rng.normal(size=(H, K)),
            rng.normal(size=K),
        )
        for N, D, H, K in sizes
    ]


def pixels_by_tape(x, labels, mean, std, W1, b1, W2, b2):
    pixels = Tensor(x)
    hidden = (((pixels - mean) / std) @ W1 + b1).relu()
    (hidden @ W2 + b2).softmax_cross_entropy(labels).backward()
    return pixels.grad


def pixels_by_layers(x, labels, mean, std, W1, b1, W2, b2):
    from course_utils import layers

    net = layers.Sequential(layers.Linear(W1, b1), layers.ReLU(), layers.Linear(W2, b2))
    loss = layers.SoftmaxCrossEntropy()
    loss(net((x - mean) / std), labels)
    return net.backward(loss.backward()) * (1 / std)


def pixels_by_hand(x, labels, mean, std, W1, b1, W2, b2):
    rows = []
    for row, label in zip(x, labels, strict=True):
        z = (row - mean) / std @ W1 + b1
        logits = np.maximum(z, 0) @ W2 + b2
        p = np.exp(logits - logits.max())
        p /= p.sum()
        p[label] -= 1
        rows.append(W1 @ ((W2 @ p) * (z > 0)) / std / len(x))
    return rows


def pixels_with(x, labels, net, shift=(0, 1), out=1, gate=True, soft=F.softmax, bias=1):
    """Make the pixel gradient in one of several wrong ways."""
    W1, b1, W2, b2 = net
    mean, std = shift
    Z = (x - mean) / std @ W1 + bias * b1
    H = np.maximum(Z, 0)
    grad = soft(H @ W2 + bias * b2) - np.eye(W2.shape[1])[labels]
    grad_Z = grad @ W2.T / len(x)
    return (grad_Z * (Z > 0) if gate else grad_Z) @ W1.T * out


def pixels_std_missing(x, labels, mean, std, *net):
    return pixels_with(x, labels, net, (mean, std))


def pixels_std_multiplied(x, labels, mean, std, *net):
    return pixels_with(x, labels, net, (mean, std), std)


def pixels_not_normalised(x, labels, mean, std, *net):
    return pixels_with(x, labels, net)


def pixels_raw_forward(x, labels, mean, std, *net):
    return pixels_with(x, labels, net, out=1 / std)


def pixels_relu_missing(x, labels, mean, std, *net):
    return pixels_with(x, labels, net, (mean, std), 1 / std, gate=False)


def pixels_without_softmax(x, labels, mean, std, *net):
    return pixels_with(x, labels, net, (mean, std), 1 / std, soft=lambda z: z)


def pixels_softmax_twice(x, labels, mean, std, *net):
    def twice(z):
        return F.softmax(F.softmax(z))

    return pixels_with(x, labels, net, (mean, std), 1 / std, soft=twice)


def pixels_bias_missing(x, labels, mean, std, *net):
    return pixels_with(x, labels, net, (mean, std), 1 / std, bias=0)


def pixels_not_shifted(x, labels, mean, std, *net):
    return pixels_with(x, labels, net, (0, std), 1 / std)


def pixels_std_twice(x, labels, mean, std, *net):
    return pixels_with(x, labels, net, (mean, std), 1 / std**2)


def pixels_mean_kept(x, labels, mean, std, *net):
    return pixels_with(x, labels, net, (mean, std), (1 - mean) / std)


def pixels_gate_reversed(x, labels, mean, std, W1, b1, W2, b2):
    Z = F.linear((x - mean) / std, W1, b1)
    logits = F.linear(F.relu(Z), W2, b2)
    grad = F.softmax_cross_entropy_vjp(1.0, logits, labels)
    return F.relu_vjp(grad @ W2.T, -Z) @ W1.T / std


def pixels_value_for_slope(x, labels, mean, std, W1, b1, W2, b2):
    Z = F.linear((x - mean) / std, W1, b1)
    logits = F.linear(F.relu(Z), W2, b2)
    grad = F.softmax_cross_entropy_vjp(1.0, logits, labels)
    return (grad @ W2.T * F.relu(Z)) @ W1.T / std


def pixels_gradient_normalised(x, labels, mean, std, *net):
    return (pixels_with(x, labels, net, (mean, std)) - mean) / std


def pixels_signs(x, labels, mean, std, *net):
    return np.sign(pixels_with(x, labels, net, (mean, std), 1 / std))


# --- 09.5: a thousand pictures --------------------------------------------------------

MEAN, STD = np.float32(0.1307), np.float32(0.3081)
WANTED = 0.915


def normalize(x):
    return (x - MEAN) / STD


def network(n_hidden, rng, dtype=np.float32):
    model = nn.MLP([784, n_hidden, 10], rng, dtype=dtype)
    model.layers[-1].W.data *= 0.1
    return model


def learn(x, y, rng):
    model = network(128, rng)
    optimizer = SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=5e-4)
    pictures = x.reshape(-1, 28, 28)
    for epoch in range(20):
        steps = rng.integers(-1, 2, (len(x), 2))  # each picture a pixel aside
        pairs = zip(pictures, steps, strict=True)
        moved = np.stack([np.roll(picture, step, (0, 1)) for picture, step in pairs])
        optimizer.lr = 0.05 * (1 - epoch / 20)
        X = normalize(moved.reshape(len(x), -1))
        for xb, yb in minibatches(X, y, 64, rng):
            train_step(model, xb, yb, optimizer, Tensor.softmax_cross_entropy)
    return lambda x: logits_of(model, normalize(x)).argmax(axis=1)


@cache
def digits():
    """The pictures to learn from, and those to judge by, with their labels."""
    x, y, _, _ = mnist()
    return x[:1000].copy(), y[:1000], x[50_000:].copy(), y[50_000:]


def share_right(predicted, labels):
    return float(np.mean(np.asarray(predicted) == labels))


def judge_learner(answer, run):
    x, y, x_val, y_val = digits()
    predict = run(x, y, np.random.default_rng(95))
    if not callable(predict):
        return WEAK["no-function"]
    predicted = np.asarray(run(x_val, of=predict))
    if predicted.shape == (len(x_val), 10):
        return WEAK["logits"]
    if predicted.shape != (len(x_val),):
        return (
            f"`predict` returned an array of shape {predicted.shape} for "
            f"{len(x_val)} pictures; expected one digit for each, {(len(x_val),)}."
        )
    if not np.array_equal(predicted, np.asarray(run(x_val, of=predict))):
        return WEAK["randomness-left-on"]
    right = share_right(predicted, y_val)
    if right >= WANTED:
        return None
    scaled_right = share_right(run(normalize(x_val), of=predict), y_val)
    known = share_right(run(x, of=predict), y)
    return _why_weak(right, scaled_right, known)


def _why_weak(right, scaled_right, known):
    """Say what keeps a network below what is wanted."""
    if scaled_right > right + 0.02:
        name = "other-scale"
    elif right < 0.2:
        name = "not-learnt"
    elif known > 0.99:
        name = "by-heart"
    else:
        name = "too-little"
    counts = f"{right:.0%} of the validation pictures are right, and {known:.0%} of the"
    return replace(WEAK[name], says=f"{counts} 1,000. {WEAK[name].says}")


def plainly_trained(x, y, rng, epochs=10, lr=0.05, scale=normalize):
    model = network(64, rng)
    optimizer = SGD(model.parameters(), lr, momentum=0.9)
    how = {"optimizer": optimizer, "rng": rng, "progress": False}
    fit(model, scale(x), y, epochs=epochs, batch_size=64, **how)
    return model


def gives_logits(x, y, rng):
    model = plainly_trained(x, y, rng, epochs=1)
    return lambda x: logits_of(model, normalize(x))


def gives_a_model(x, y, rng):
    return plainly_trained(x, y, rng, epochs=1).parameters()


def keeps_dropout(x, y, rng):
    model = plainly_trained(x, y, rng, epochs=1)

    def predict(x):
        kept = rng.random(x.shape) < 0.5
        return logits_of(model, normalize(x) * kept).argmax(axis=1)

    return predict


def forgets_the_scale(x, y, rng):
    model = plainly_trained(x, y, rng)
    return lambda x: logits_of(model, x).argmax(axis=1)


def learns_nothing(x, y, rng):
    model = plainly_trained(x, y, rng, epochs=1, lr=0)
    return lambda x: logits_of(model, normalize(x)).argmax(axis=1)


def learns_by_heart(x, y, rng):
    model = plainly_trained(x, y, rng, epochs=15)
    return lambda x: logits_of(model, normalize(x)).argmax(axis=1)


def learns_too_little(x, y, rng):
    model = plainly_trained(x, y, rng, epochs=1)
    return lambda x: logits_of(model, normalize(x)).argmax(axis=1)


def learn_widely(x, y, rng):
    """Learn from nine copies of each picture, moved in all directions."""
    pictures = x.reshape(-1, 28, 28)
    ways = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    moved = np.concatenate([np.roll(pictures, way, (1, 2)) for way in ways])
    X, labels = normalize(moved.reshape(-1, 784)), np.tile(y, 9)
    model = network(128, rng)
    optimizer = SGD(model.parameters(), 0.05, momentum=0.9)
    how = {"optimizer": optimizer, "rng": rng, "progress": False}
    how["schedule"] = lambda done: 1 - done
    fit(model, X, labels, epochs=3, batch_size=64, **how)
    return lambda x: list(logits_of(model, normalize(x)).argmax(axis=1))


WEAK = {
    mistake.id: mistake
    for mistake in (
        Mistake(
            "no-function",
            gives_a_model,
            "`learn` has to return a function: given pictures, it gives a digit for "
            "each.",
            CHOOSE,
        ),
        Mistake(
            "logits",
            gives_logits,
            "`predict` returns ten numbers for each picture. Which of them is the "
            "network's answer?",
            CHOOSE,
        ),
        Mistake(
            "randomness-left-on",
            keeps_dropout,
            "Asked twice about the same pictures, `predict` gives two answers. The "
            "randomness of training is still on.",
            SPOILT,
        ),
        Mistake(
            "other-scale",
            forgets_the_scale,
            "Normalised, the same pictures are recognised much better: `predict` "
            "leaves out a step that the training pictures went through.",
            SCALE,
        ),
        Mistake(
            "not-learnt",
            learns_nothing,
            "This is hardly more than always giving the same answer. Does the loss "
            "fall, and is the learning rate right?",
            "09_training_mnist#Overfit one batch first",
        ),
        Mistake(
            "by-heart",
            learns_by_heart,
            "It knows its pictures by heart, so more epochs will not help. What would "
            "be as good as more pictures?",
            CHOOSE,
        ),
        Mistake(
            "too-little",
            learns_too_little,
            "It does not even know the pictures that it has learnt from. Longer, "
            "wider, or at another rate?",
            "09_training_mnist#Overfit one batch first",
        ),
    )
}


def hidden_by_units(grad_out, X, W, b, mask):
    grad_X, grad_W, grad_b = np.zeros_like(X), np.zeros_like(W), np.zeros_like(b)
    for n in range(len(X)):
        for j in range(len(b)):
            if X[n] @ W[:, j] + b[j] > 0:
                g = grad_out[n, j] * mask[n, j]
                grad_X[n] += g * W[:, j]
                grad_W[:, j] += g * X[n]
                grad_b[j] += g
    return grad_X, grad_W, grad_b


def hidden_z_for_gate(grad_out, X, W, b, mask):
    grad_Z = grad_out * mask * (X @ W + b)
    return grad_Z @ W.T, X.T @ grad_Z, grad_Z.sum(axis=0)


def smooth_by_indices(grad_out, z, labels):
    grad = F.softmax(z) - 0.1 / z.shape[1]
    grad[np.arange(len(z)), labels] -= 0.9
    return grad_out * grad / len(z)


def smooth_by_two_indices(grad_out, z, labels):
    grad = F.softmax(z)
    for n, label in enumerate(labels):
        for k in range(z.shape[1]):
            grad[n, k] -= 0.1 / z.shape[1] + (0.9 if k == label else 0.0)
    return grad_out * grad / len(z)


def _pixels_through(gate, softmax=F.softmax):
    def wrong(x, labels, mean, std, W1, b1, W2, b2):
        Z = (x - mean) / std @ W1 + b1
        grad = softmax(np.maximum(Z, 0) @ W2 + b2)
        grad[np.arange(len(x)), labels] -= 1
        grad_H = grad / len(x) @ W2.T
        return grad_H * gate(Z, grad_H) @ W1.T / std

    return wrong


def _softmax_of_columns(z):
    return F.softmax(z.T).T


def pixels_by_units(x, labels, mean, std, W1, b1, W2, b2):
    Z = (x - mean) / std @ W1 + b1
    grad = F.softmax(np.maximum(Z, 0) @ W2 + b2)
    grad[np.arange(len(x)), labels] -= 1
    out = np.zeros_like(x)
    for j in range(W1.shape[1]):
        out += np.outer(grad @ W2[j] * (Z[:, j] > 0), W1[:, j]) / std / len(x)
    return out


EXERCISES = [
    Exercise(
        number="09.1",
        title="Dropout on the way back",
        reference=hidden_vjp,
        inputs=hidden_inputs,
        gradient=True,
        outputs=("grad_X", "grad_W", "grad_b"),
        mistakes=[
            Mistake(
                "input-for-gate",
                hidden_z_for_gate,
                "The gradient is multiplied by ReLU's input. On the way back it is the "
                "derivative that counts, 0 or 1.",
                ACTIVATIONS,
            ),
            Mistake("activation-missing", hidden_relu_missing),
            Mistake(
                "mask-missing",
                hidden_mask_missing,
                "The gradient passes as if nothing had been dropped. A value that was "
                "set to 0 had no part in the loss.",
                SPOILT,
            ),
            Mistake(
                "not-doubled",
                hidden_not_doubled,
                "What is kept passes, but not doubled: everything is half of what "
                "it should be. On the way forward the values that remain were doubled.",
                SPOILT,
            ),
            Mistake(
                "mask-twice",
                hidden_mask_twice,
                "The mask is multiplied in twice, so what is kept is doubled twice. "
                "`H` in the formula may contain it already.",
                SPOILT,
            ),
            Mistake(
                "mask-reversed",
                hidden_mask_reversed,
                "The gradient passes where values were dropped, and stops where they "
                "were kept.",
                SPOILT,
            ),
            Mistake(
                "mask-as-gate",
                hidden_mask_as_gate,
                "The mask is compared with the input. It is a factor, and ReLU's "
                "question is whether its own input is above 0.",
                ACTIVATIONS,
            ),
            Mistake(
                "value-for-derivative",
                hidden_value_for_slope,
                "The gradient is multiplied by ReLU's value. On the way back it is "
                "the derivative that counts, 0 or 1.",
                ACTIVATIONS,
            ),
            Mistake(
                "neither-undone",
                hidden_not_undone,
                "Neither the dropout nor the ReLU is there on the way back: the "
                "gradient goes straight to the linear layer.",
                ACTIVATIONS,
            ),
            Mistake(
                "gate-reversed",
                hidden_gate_reversed,
                "The gradient passes where ReLU is closed, and stops where it is open.",
                ACTIVATIONS,
            ),
            Mistake(
                "forward-again",
                hidden_forward_again,
                "The values of the layer go back, where the gradient that comes in "
                "belongs.",
                "05_vectorized_backprop#One form for every rule: the vjp",
            ),
            Mistake("assigned", hidden_assigned, where=BIAS),
            Mistake("broadcast", hidden_not_summed, where=BIAS),
            Mistake(
                "bias-missing",
                hidden_bias_missing,
                "ReLU's question is asked without the bias: its input is all of "
                "`X @ W + b`.",
                ACTIVATIONS,
            ),
        ],
        absent={
            "at-output": "with ReLU and dropout the output is positive exactly where "
            "the gradient passes"
        },
        variants=[hidden_by_units, hidden_by_rules, hidden_by_tape, hidden_by_loops],
        hints=(
            "Name the steps: `Z`, `A = relu(Z)`, `H = A * mask`. Go back through "
            "the three, one after the other.",
            "The mask is a constant. In a product with a constant, the gradient is "
            "multiplied by the constant.",
            "With `grad_Z`, what remains are the three rules of a linear layer from "
            "notebook 05.",
        ),
        explanation=(
            "$G \\odot M$ undoes the dropout: 0 where a value was dropped, doubled "
            "where it was kept. ReLU lets pass where $Z > 0$. The rest is a linear "
            "layer. To check it with `gradcheck`, the mask has to stay the same in "
            "each call: draw it once, before."
        ),
    ),
    Exercise(
        number="09.2",
        title="Labels that leave a doubt",
        reference=smooth_vjp,
        inputs=smooth_inputs,
        gradient=True,
        n=lambda grad_out, z, labels: len(z),
        mistakes=[
            Mistake(
                "activation-missing",
                smooth_without_softmax,
                "The logits stand where the probabilities belong: the softmax is "
                "missing.",
                LOSSES,
            ),
            Mistake(
                "at-output",
                smooth_softmax_twice,
                "The softmax is taken twice: the probabilities are put in once more "
                "where the logits belong.",
                SPOILT,
            ),
            Mistake(
                "hard-labels",
                smooth_hard,
                "This is the gradient for the labels as they are. The smoothing has "
                "left no trace.",
                LOSSES,
            ),
            Mistake(
                "rest-missing",
                smooth_rest_missing,
                "The label has its 0.9, but the remaining 0.1 is given to nobody. Do "
                "the targets of a row add up to 1?",
                LOSSES,
            ),
            Mistake(
                "too-much",
                smooth_too_much,
                "The label keeps its 1, and the 0.1 comes on top. Do the targets of a "
                "row add up to 1?",
                LOSSES,
            ),
            Mistake(
                "others-only",
                smooth_others_only,
                "The 0.1 is spread over the *other* classes. Here it is spread over "
                "all $K$, the label included.",
                LOSSES,
            ),
            Mistake(
                "label-without-share",
                smooth_one_label,
                "The label has 0.9 and no part of what is spread over all classes. Do "
                "the targets of a row add up to 1?",
                LOSSES,
            ),
            Mistake(
                "always-ten",
                smooth_of_ten,
                "0.01 is right for ten classes. The check also tries other numbers of "
                "classes.",
                LOSSES,
            ),
            Mistake(
                "spread-over-examples",
                smooth_per_example,
                "The 0.1 is divided by the number of examples. It is spread over the "
                "classes, the columns.",
                LOSSES,
            ),
            Mistake(
                "exchanged",
                smooth_exchanged,
                "0.9 and 0.1 have changed places: most of the weight belongs to the "
                "label.",
                LOSSES,
            ),
            Mistake(
                "softmax-over-examples",
                smooth_over_examples,
                "The softmax runs over the examples. Each *row* has probabilities that "
                "add up to 1.",
                LOSSES,
            ),
            Mistake(
                "softmax-over-all",
                smooth_over_all,
                "The softmax runs over all examples together. Each *row* has "
                "probabilities that add up to 1.",
                LOSSES,
            ),
            Mistake(
                "log-probabilities",
                smooth_with_log,
                "The *logarithms* of the probabilities stand where the probabilities "
                "belong.",
                LOSSES,
            ),
            Mistake(
                "targets-missing",
                smooth_probs_alone,
                "The probabilities alone: they would all be pushed down. The targets "
                "are missing.",
                LOSSES,
            ),
            Mistake(
                "probabilities-missing",
                smooth_targets_alone,
                "The targets alone: this gradient never ends. What the network says "
                "itself is missing.",
                LOSSES,
            ),
            Mistake(
                "as-sigmoid",
                smooth_as_sigmoid,
                "It is multiplied by $p(1 - p)$ besides. $p - q$ has the softmax in it "
                "already.",
                LOSSES,
            ),
            Mistake(
                "not-spread",
                smooth_not_divided,
                "Every class gets the whole 0.1. Do the targets of a row add up to 1?",
                LOSSES,
            ),
            Mistake(
                "through-softmax-again",
                smooth_through_softmax,
                "$p - q$ is already the gradient for the logits. Here it goes back "
                "through the softmax once more.",
                LOSSES,
            ),
            Mistake(
                "for-the-probabilities",
                smooth_at_probs,
                "This is the gradient for the probabilities, $-q/p$. The way back "
                "through the softmax is missing.",
                LOSSES,
            ),
        ],
        absent={
            "assigned": "each logit is used for its own example alone",
            "broadcast": "nothing that the gradient is asked for is shared",
        },
        variants=[
            smooth_by_indices,
            smooth_by_two_indices,
            smooth_by_two_losses,
            smooth_by_chain,
            smooth_by_rows,
        ],
        hints=(
            "$\\log p_k = z_k - \\mathrm{logsumexp}(z)$, and $\\sum_k q_k = 1$. Write "
            "the loss of one example with these two.",
            "The loss of one example is $\\mathrm{logsumexp}(z) - \\sum_k q_k z_k$. "
            "What is the derivative of each part by $z_k$?",
            "It is a difference of two vectors, as for hard labels; only the second "
            "vector changes. And a mean over the examples divides by N.",
        ),
        explanation=(
            "Since $\\sum_k q_k = 1$, the loss of an example is "
            "$\\mathrm{logsumexp}(z) - \\sum_k q_k z_k$, and its gradient $p - q$. It "
            "is 0 when the network gives the label 0.9 and a bit, not 1: so it has no "
            "reason to be surer and surer."
        ),
    ),
    Exercise(
        number="09.3",
        title="Find the bugs: 97 % here, 10 % there",
        reference=prepare,
        inputs=prepare_inputs,
        outputs=("X_fit", "X_val"),
        n=lambda x_fit, x_val: len(x_fit),
        mistakes=[
            Mistake(
                "as-shown",
                prepare_as_shown,
                "`X_val` is as the friend has it: each pixel is scaled by itself, and "
                "by numbers of the validation pictures.",
                SCALE,
            ),
            Mistake(
                "nan-replaced",
                prepare_nan_replaced,
                "The NaN are gone, but not what made them: each pixel is still scaled "
                "by itself.",
                SCALE,
            ),
            Mistake(
                "own-scale",
                prepare_own_scale,
                "One mistake is found. But the validation pictures still have a scale "
                "of their own: the same ink becomes another number.",
                SCALE,
            ),
            Mistake(
                "by-pixel",
                prepare_by_pixel,
                "Each pixel is scaled by itself. One that is paper in all pictures has "
                "the standard deviation 0.",
                SCALE,
            ),
            Mistake(
                "by-pixel-with-eps",
                prepare_by_pixel_with_eps,
                "Each pixel is scaled by itself, and a small number keeps the division "
                "from failing. The notebook has one scale for all pixels.",
                SCALE,
            ),
            Mistake(
                "by-pixel-guarded",
                prepare_by_pixel_guarded,
                "Each pixel is scaled by itself, with a guard against the standard "
                "deviation 0. The notebook has one scale for all pixels.",
                SCALE,
            ),
            Mistake(
                "own-mean",
                prepare_own_mean,
                "The validation pictures are shifted by a mean of their own. Both sets "
                "need one and the same formula.",
                SCALE,
            ),
            Mistake(
                "own-deviation",
                prepare_own_deviation,
                "The validation pictures are divided by a standard deviation of their "
                "own. Both sets need one and the same formula.",
                SCALE,
            ),
            Mistake(
                "without-brackets",
                prepare_without_brackets,
                "Only the mean is divided: `x - mu / sigma` lacks a pair of brackets.",
                SCALE,
            ),
            Mistake(
                "n-minus-one",
                prepare_n_minus_one,
                "The standard deviation divides by one less than the number of pixels "
                "(`ddof=1`). The notebook takes the plain mean of the squares.",
                SCALE,
            ),
            Mistake(
                "to-one",
                prepare_to_one,
                "The pixels are stretched to 0 … 1. Wanted are the mean 0 and the "
                "standard deviation 1.",
                SCALE,
            ),
            Mistake(
                "by-picture",
                prepare_by_picture,
                "Each picture is scaled by itself, so thick and thin strokes become "
                "alike. The notebook has one scale for all pictures.",
                SCALE,
            ),
            Mistake(
                "together",
                prepare_together,
                "The validation pictures have a say in the mean and the standard "
                "deviation. What judges may not take part in learning.",
                SCALE,
            ),
            Mistake(
                "by-validation",
                prepare_by_validation,
                "The two numbers come from the validation pictures. They belong to the "
                "pictures that are trained on.",
                SCALE,
            ),
            Mistake(
                "numbers-of-mnist",
                prepare_of_mnist,
                "0.1307 and 0.3081 belong to the training pictures of MNIST. The check "
                "has others: compute the two numbers.",
                SCALE,
            ),
            Mistake(
                "numbers-of-mnist-written-out",
                prepare_of_mnist_written_out,
                "0.1307 and 0.3081 belong to the training pictures of MNIST. The check "
                "has others: compute the two numbers.",
                SCALE,
            ),
            Mistake(
                "not-scaled",
                prepare_not_at_all,
                "`X_val` is not scaled at all, or by numbers of pictures that were "
                "scaled already, which are 0 and 1.",
                SCALE,
            ),
            Mistake(
                "shifted-only",
                prepare_shifted_only,
                "The mean is 0, but the standard deviation is not 1: a division is "
                "missing.",
                SCALE,
            ),
            Mistake(
                "by-variance",
                prepare_by_variance,
                "It divides by the variance. Its square root, the standard deviation, "
                "has the unit of the pixels.",
                SCALE,
            ),
        ],
        variants=[prepare_by_squares, prepare_by_lists],
        hints=(
            "A pixel at the margin is paper in every picture. What are its mean and "
            "its standard deviation?",
            "The network has learnt that a certain number means ink. Which formula "
            "turned ink into that number?",
            "Two numbers in all, from the pictures that are trained on, and the same "
            "formula for both sets.",
        ),
        explanation=(
            "A pixel that never varies has the standard deviation 0, and $0/0$ is NaN: "
            "with one NaN in a row, all its logits are NaN. With `axis=0` gone, the "
            "pictures still had a scale of their own. Both sets go through one "
            "formula, with two numbers of the training pictures."
        ),
    ),
    Exercise(
        number="09.4",
        title="A step that hurts",
        reference=pixel_gradient,
        inputs=pixel_inputs,
        gradient=True,
        mistakes=[
            Mistake(
                "input-for-gate",
                _pixels_through(lambda Z, grad: Z),
                "The gradient is multiplied by ReLU's input. On the way back it is the "
                "derivative that counts, 0 or 1.",
                ACTIVATIONS,
            ),
            Mistake(
                "gate-of-gradient",
                _pixels_through(lambda Z, grad: grad > 0),
                "The gate looks at the gradient. It is the *input* of ReLU that tells "
                "where it is open.",
                ACTIVATIONS,
            ),
            Mistake(
                "softmax-over-examples",
                _pixels_through(lambda Z, grad: Z > 0, _softmax_of_columns),
                "The softmax runs over the examples. Each row has probabilities of its "
                "own.",
                LOSSES,
            ),
            Mistake("activation-missing", pixels_relu_missing),
            Mistake(
                "std-missing",
                pixels_std_missing,
                "This is the gradient for the *normalised* pixels. Normalising is a "
                "step of the chain too, and has a derivative.",
                LOOKS,
            ),
            Mistake(
                "std-multiplied",
                pixels_std_multiplied,
                "On the way back it is multiplied by `std`. What is the derivative of "
                "$(x - \\mu)/\\sigma$ by $x$?",
                LOOKS,
            ),
            Mistake(
                "std-twice",
                pixels_std_twice,
                "It is divided by `std` twice. Each step of the chain counts once.",
                LOOKS,
            ),
            Mistake(
                "mean-kept",
                pixels_mean_kept,
                "`mean` plays a part in the derivative. What is subtracted is a "
                "constant.",
                LOOKS,
            ),
            Mistake(
                "gradient-normalised",
                pixels_gradient_normalised,
                "The gradient is normalised like a picture. On the way back only the "
                "derivative counts: what is subtracted is a constant.",
                LOOKS,
            ),
            Mistake(
                "value-for-derivative",
                pixels_value_for_slope,
                "The gradient is multiplied by ReLU's value. On the way back it is "
                "the derivative that counts, 0 or 1.",
                ACTIVATIONS,
            ),
            Mistake(
                "not-normalised",
                pixels_not_normalised,
                "The network is fed with raw pixels. It has learnt from normalised "
                "ones.",
                SCALE,
            ),
            Mistake(
                "raw-forward",
                pixels_raw_forward,
                "On the way back the normalisation is there, on the way forward it is "
                "not.",
                SCALE,
            ),
            Mistake(
                "not-shifted",
                pixels_not_shifted,
                "The pixels are divided by `std`, but `mean` is not subtracted before.",
                SCALE,
            ),
            Mistake(
                "gate-reversed",
                pixels_gate_reversed,
                "The gradient passes where ReLU is closed, and stops where it is open.",
                ACTIVATIONS,
            ),
            Mistake(
                "softmax-missing",
                pixels_without_softmax,
                "The logits stand where the probabilities belong: the softmax is "
                "missing.",
                LOSSES,
            ),
            Mistake(
                "softmax-twice",
                pixels_softmax_twice,
                "The softmax is taken twice.",
                SPOILT,
            ),
            Mistake(
                "bias-missing",
                pixels_bias_missing,
                "The biases are left out on the way forward. They decide which ReLUs "
                "are open, and what the softmax gives.",
                ACTIVATIONS,
            ),
            Mistake(
                "signs",
                pixels_signs,
                "These are the signs. Asked for is the gradient; the signs come after.",
                LOOKS,
            ),
        ],
        absent={
            "at-output": "a ReLU's output is positive exactly where its input is",
            "assigned": "each picture is used once",
            "broadcast": "a picture is not shared by several rows",
        },
        variants=[pixels_by_units, pixels_by_tape, pixels_by_layers, pixels_by_hand],
        hints=(
            "Write the way forward first, in four lines: normalise, linear, ReLU, "
            "linear. Keep what the way back needs.",
            "For the logits there is one rule for softmax and loss together. Then "
            "through `W2`, through the ReLU, through `W1`.",
            "Through a linear layer to its input: the gradient times `W.T`. Last comes "
            "the normalisation: one unit more of $x$ is $1/\\sigma$ more of $X$.",
        ),
        explanation=(
            "$dX = \\bigl((P - Y) W_2^\\top / N \\odot [Z > 0]\\bigr) W_1^\\top$, and "
            "the normalisation divides by $\\sigma$. The step along the signs hurts so "
            "much because all 784 small changes push in the same direction: their "
            "effects *add*, where random ones nearly cancel."
        ),
    ),
    Exercise(
        number="09.5",
        title="Open challenge: a thousand pictures",
        reference=learn,
        judge=judge_learner,
        mistakes=list(WEAK.values()),
        variants=[learn_widely],
        slow=True,
        seconds=30,
        hints=(
            "First reach what the notebook reached, nearly 90 %: normalise, 64 or 128 "
            "hidden neurons, ten epochs or more. Normalise in `predict`, too.",
            "The network knows the 1,000 pictures by heart after a few epochs. So show "
            "it pictures that are a little different in each epoch, with the same "
            "labels.",
            "A digit that is moved by one pixel is the same digit. `np.roll(picture, "
            "(1, -1), (0, 1))` moves a picture of 28 × 28; draw the two numbers anew "
            "for each picture in each epoch.",
        ),
        explanation=(
            "Each picture moved by up to a pixel is one of nine, so 1,000 pictures "
            "count for more, and cannot be learnt by heart as quickly. What helps is "
            "something that we know and the network does not: that a digit moved "
            "aside is the same digit."
        ),
    ),
]
