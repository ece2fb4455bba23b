"""Exercises of 06_layers_and_losses."""

import numpy as np

from course_utils import functional as F

from .exercise import Exercise, Mistake

ACTIVATIONS = "06_layers_and_losses#Activations"
LAYERS = "06_layers_and_losses#Layers"
BY_HAND = "06_layers_and_losses#A classifier with two layers, every derivative by hand"
LOGITS = "06_layers_and_losses#From logits"
SOFTMAX = "06_layers_and_losses#Softmax"
TRAIN = "06_layers_and_losses#Mistakes that train"
BIAS = "05_vectorized_backprop#The bias: a sum over the rows"
MSE = "05_vectorized_backprop#The loss: mean squared error"

# --- 06.1: softplus -------------------------------------------------------------------


def softplus_vjp(grad_out, x):
    return grad_out * F.sigmoid(x)


def softplus_inputs(rng):
    shapes = (2, 3), (5, 4), (3, 3), (1, 4), (7,)
    pairs = [(rng.normal(size=s), rng.normal(size=s)) for s in shapes]
    far = np.array([[-1000.0, -40.0, 0.5], [-0.5, 40.0, 1000.0]])
    return [*pairs, (rng.normal(size=far.shape), far)]


def softplus_by_tanh(grad_out, x):
    return grad_out * 0.5 * (1 + np.tanh(x / 2))


def softplus_by_mask(grad_out, x):
    slope = np.empty_like(x)
    slope[x > 0] = 1 / (1 + np.exp(-x[x > 0]))
    slope[x <= 0] = np.exp(x[x <= 0]) / (1 + np.exp(x[x <= 0]))
    return slope * grad_out


def softplus_by_loop(grad_out, x):
    def slope(t):
        return 1 / (1 + np.exp(-t)) if t > 0 else np.exp(t) / (1 + np.exp(t))

    flat = [g * slope(t) for g, t in zip(grad_out.ravel(), x.ravel(), strict=True)]
    return np.reshape(flat, x.shape)


def softplus_through(grad_out, x):
    return grad_out


def softplus_at_output(grad_out, x):
    return grad_out * F.sigmoid(np.logaddexp(0, x))


def softplus_overflows(grad_out, x):
    return grad_out * np.exp(x) / (1 + np.exp(x))


def softplus_sigmoid_vjp(grad_out, x):
    return F.sigmoid_vjp(grad_out, F.sigmoid(x))


def softplus_sigmoid_vjp_of_x(grad_out, x):
    return F.sigmoid_vjp(grad_out, x)


def softplus_gate(grad_out, x):
    return grad_out * (x > 0)


def softplus_mirrored(grad_out, x):
    return grad_out * F.sigmoid(-x)


def softplus_forward(grad_out, x):
    return grad_out * np.logaddexp(0, x)


# --- 06.2: a leak that learns ---------------------------------------------------------


def leaky_vjp(grad_out, x, slope):
    grad_x = grad_out * np.where(x > 0, 1, slope)
    grad_slope = (grad_out * np.minimum(x, 0)).sum(axis=0)  # (N, H) -> (H,)
    return grad_x, grad_slope


def leaky_inputs(rng):
    sizes = (2, 3), (5, 4), (3, 3), (1, 4), (7, 2)
    inputs = []
    for N, H in sizes:
        x = rng.normal(size=(N, H))
        x += 0.1 * np.sign(x)  # away from the kink
        x[0] = -np.abs(x[0])  # every column leaks somewhere
        slope = 0.3 * rng.normal(size=H) + 0.1
        slope[0] = -0.4  # the output does not tell the sign of the input
        inputs.append((rng.normal(size=(N, H)), x, slope))
    return inputs


def leaky_by_masks(grad_out, x, slope):
    leak = x < 0
    grad_x = grad_out * (1 - leak + leak * slope)
    return grad_x, np.einsum("nh,nh->h", grad_out, x * leak)


def leaky_by_loops(grad_out, x, slope):
    grad_x, grad_slope = [], [0.0] * len(slope)
    for g_row, x_row in zip(grad_out.tolist(), x.tolist(), strict=True):
        row = []
        for h, (g, value) in enumerate(zip(g_row, x_row, strict=True)):
            row.append(g if value > 0 else g * slope[h])
            grad_slope[h] += 0.0 if value > 0 else g * value
        grad_x.append(row)
    return grad_x, grad_slope


def leaky_in_place(grad_out, x, slope):
    grad_x, rows, columns = grad_out.copy(), *np.nonzero(x < 0)
    grad_x[rows, columns] *= slope[columns]
    grad_slope = np.zeros_like(slope)
    np.add.at(grad_slope, columns, grad_out[rows, columns] * x[rows, columns])
    return grad_x, grad_slope


def leaky_through(grad_out, x, slope):
    return grad_out, (grad_out * x).sum(axis=0)


def leaky_at_output(grad_out, x, slope):
    y = np.where(x > 0, x, slope * x)
    grad_slope = (grad_out * np.where(y > 0, 0, x)).sum(axis=0)
    return grad_out * np.where(y > 0, 1, slope), grad_slope


def leaky_assigned(grad_out, x, slope):
    for g, row in zip(grad_out, x, strict=True):
        grad_slope = g * np.minimum(row, 0)
    return grad_out * np.where(x > 0, 1, slope), grad_slope


def leaky_not_summed(grad_out, x, slope):
    return grad_out * np.where(x > 0, 1, slope), grad_out * np.minimum(x, 0)


def leaky_closed(grad_out, x, slope):
    return grad_out * (x > 0), (grad_out * np.minimum(x, 0)).sum(axis=0)


def leaky_swapped(grad_out, x, slope):
    grad_slope = (grad_out * np.maximum(x, 0)).sum(axis=0)
    return grad_out * np.where(x > 0, slope, 1), grad_slope


def leaky_everywhere(grad_out, x, slope):
    return grad_out * slope, (grad_out * x).sum(axis=0)


def leaky_of_output(grad_out, x, slope):
    y = np.where(x > 0, x, slope * x)
    return grad_out * np.where(x > 0, 1, slope), (grad_out * y).sum(axis=0)


def leaky_counted(grad_out, x, slope):
    return grad_out * np.where(x > 0, 1, slope), (grad_out * (x < 0)).sum(axis=0)


def leaky_from_grad_x(grad_out, x, slope):
    grad_x = grad_out * np.where(x > 0, 1, slope)
    return grad_x, (grad_x * np.minimum(x, 0)).sum(axis=0)


def leaky_forward(grad_out, x, slope):
    y = np.where(x > 0, x, slope * x)
    return grad_out * y, (grad_out * np.minimum(x, 0)).sum(axis=0)


def leaky_negative(grad_out, x, slope):
    grad_slope = (grad_out * np.minimum(x, 0)).sum(axis=0)
    return grad_out * np.where(x > 0, 1, -slope), grad_slope


def leaky_last_leak(grad_out, x, slope):
    grad_slope = np.zeros_like(slope)
    for n, h in np.argwhere(x < 0):
        grad_slope[h] = grad_out[n, h] * x[n, h]
    return grad_out * np.where(x > 0, 1, slope), grad_slope


def leaky_all_summed(grad_out, x, slope):
    return grad_out * np.where(x > 0, 1, slope), (grad_out * np.minimum(x, 0)).sum()


# --- 06.3: the classifier that trains -------------------------------------------------


def classifier_grads(X, labels, W1, b1, W2, b2):
    N = len(X)
    h = np.tanh(X @ W1 + b1)  # (N, H)
    probs = F.softmax(h @ W2 + b2)  # (N, K)
    one_hot = np.eye(len(b2))[labels]  # (N, K)
    dZ2 = (probs - one_hot) / N  # (N, K)
    dZ1 = (dZ2 @ W2.T) * (1 - h**2)  # (N, H)
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


def classifier_inputs(rng):
    sizes = (2, 3, 2, 3), (5, 4, 3, 6), (4, 4, 4, 4), (1, 3, 2, 4), (7, 2, 5, 3)
    return [
        (
            rng.normal(size=(N, D)),
            rng.integers(0, K, size=N),
            rng.normal(size=(D, H)),
            rng.normal(size=H),
            rng.normal(size=(H, K)),
            rng.normal(size=K),
        )
        for N, D, H, K in sizes
    ]


def back_from(dZ2, h, X, W2):
    dZ1 = (dZ2 @ W2.T) * (1 - h**2)
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


def two_layers(X, labels, W1, b1, W2, b2):
    h = np.tanh(X @ W1 + b1)
    probs = F.softmax(h @ W2 + b2)
    return h, probs, np.eye(len(b2))[labels]


def classifier_fused(X, labels, W1, b1, W2, b2):
    h = np.tanh(F.linear(X, W1, b1))
    dZ2 = F.softmax_cross_entropy_vjp(1.0, F.linear(h, W2, b2), labels)
    dh, dW2, db2 = F.linear_vjp(dZ2, h, W2)
    _, dW1, db1 = F.linear_vjp(F.tanh_vjp(dh, h), X, W1)
    return dW1, db1, dW2, db2


def classifier_through_softmax(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    G = -one_hot / (len(X) * probs)
    return back_from(F.softmax_vjp(G, probs), h, X, W2)


def classifier_by_example(X, labels, W1, b1, W2, b2):
    grads = [np.zeros_like(p) for p in (W1, b1, W2, b2)]
    for x, label in zip(X, labels, strict=True):
        h = np.tanh(x @ W1 + b1)
        dz2 = F.softmax(h @ W2 + b2)
        dz2[label] -= 1
        dz1 = (W2 @ dz2) * (1 - h * h)
        parts = np.outer(x, dz1), dz1, np.outer(h, dz2), dz2
        for grad, part in zip(grads, parts, strict=True):
            grad += part / len(X)
    return grads


def classifier_with_layers(X, labels, W1, b1, W2, b2):
    from course_utils import layers as L

    net = L.Sequential(L.Linear(W1, b1), L.Tanh(), L.Linear(W2, b2))
    loss = L.SoftmaxCrossEntropy()
    loss(net(X), labels)
    net.backward(loss.backward())
    return [p.grad for p in net.parameters()]


def classifier_as_found(X, labels, W1, b1, W2, b2):
    N = len(X)
    h = np.tanh(X @ W1 + b1)
    probs = F.softmax(h @ W2 + b2)
    one_hot = np.eye(len(b2))[labels]
    dprobs = -one_hot / probs / N
    dZ2 = dprobs * probs * (1 - probs)
    dZ1 = (dZ2 @ W2.T) * h * (1 - h)
    return X.T @ dZ1, dZ1.mean(axis=0), h.T @ dZ2, dZ2.mean(axis=0)


def classifier_diagonal(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    return back_from(-one_hot * (1 - probs) / len(X), h, X, W2)


def classifier_sigmoid(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    dZ1 = (dZ2 @ W2.T) * h * (1 - h)
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


def classifier_averaged(X, labels, W1, b1, W2, b2):
    dW1, db1, dW2, db2 = classifier_grads(X, labels, W1, b1, W2, b2)
    return dW1, db1 / len(X), dW2, db2 / len(X)


def classifier_linear(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    dZ1 = dZ2 @ W2.T
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


def classifier_tanh_twice(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    dZ1 = (dZ2 @ W2.T) * (1 - np.tanh(h) ** 2)
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


def classifier_not_summed(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    dZ1 = (dZ2 @ W2.T) * (1 - h**2)
    return X.T @ dZ1, dZ1, h.T @ dZ2, dZ2


def classifier_last(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    return back_from(dZ2[-1:], h[-1:], X[-1:], W2)


def classifier_one_row(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    row = ((probs - one_hot) / len(X)).sum(axis=0)
    return back_from(np.ones_like(probs) * row, h, X, W2)


def classifier_without_truth(X, labels, W1, b1, W2, b2):
    h, probs, _ = two_layers(X, labels, W1, b1, W2, b2)
    return back_from(probs / len(X), h, X, W2)


def classifier_softmax_twice(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    return back_from((F.softmax(probs) - one_hot) / len(X), h, X, W2)


def classifier_vjp_of_difference(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    return back_from(F.softmax_vjp((probs - one_hot) / len(X), probs), h, X, W2)


def classifier_two_left(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = -one_hot * (1 - probs) / len(X)
    dZ1 = (dZ2 @ W2.T) * h * (1 - h)
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


def hidden_slope(slope_of):
    def wrong(X, labels, W1, b1, W2, b2):
        h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
        dZ2 = (probs - one_hot) / len(X)
        dZ1 = (dZ2 @ W2.T) * slope_of(X @ W1 + b1)
        return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)

    return wrong


def classifier_weights_with_input(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    dZ1 = (dZ2 @ W2.T) * (1 - h**2)
    return X.T @ dZ1, dZ1.sum(axis=0), (X @ W1 + b1).T @ dZ2, dZ2.sum(axis=0)


def logit_grad(dZ2_of):
    def wrong(X, labels, W1, b1, W2, b2):
        h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
        dZ2 = dZ2_of(h @ W2 + b2, probs, one_hot) / len(X)
        return back_from(dZ2, h, X, W2)

    return wrong


def bias_grad(reduce):
    def wrong(X, labels, W1, b1, W2, b2):
        h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
        dZ2 = (probs - one_hot) / len(X)
        dZ1 = (dZ2 @ W2.T) * (1 - h**2)
        return X.T @ dZ1, reduce(dZ1), h.T @ dZ2, reduce(dZ2)

    return wrong


def along_other_axis(z):
    e = np.exp(z)
    return e / e.sum(axis=0)


def over_all(z):
    e = np.exp(z)
    return e / e.sum()


# --- 06.4: five examples, four classes ------------------------------------------------


def fresh():
    logits, labels = np.zeros((5, 4)), np.array([0, 1, 2, 3, 0])
    loss = F.softmax_cross_entropy(logits, labels)
    grad = F.softmax_cross_entropy_vjp(1.0, logits, labels)
    floor = F.softmax_cross_entropy(np.eye(4), np.arange(4))  # probabilities as logits
    return loss, grad[0, 0], grad[0, 1], floor


# --- 06.5: label smoothing ------------------------------------------------------------


def smoothed(logits, labels, eps):
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K  # (N, K)
    loss = -(q * F.log_softmax(logits)).sum() / N
    return loss, (F.softmax(logits) - q) / N


def smoothed_inputs(rng):
    def one(N, K, eps):
        return 2 * rng.normal(size=(N, K)), rng.integers(0, K, size=N), eps

    inputs = [one(2, 3, 0.1), one(5, 4, 0.2), one(3, 3, 0.3), one(1, 5, 0.25)]
    far = np.array([[1000.0, 0.0, -1000.0], [-700.0, 900.0, 0.0]])
    return [*inputs, one(7, 6, 0.05), (far, np.array([1, 1]), 0.1)]


def smoothed_on_the_tape(logits, labels, eps):
    from course_utils.tensor import Tensor

    z, (N, K) = Tensor(logits), logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    loss = (z.log_softmax() * -q).sum() / N
    loss.backward()
    return loss.item(), z.grad


def smoothed_as_mixture(logits, labels, eps):
    hard = F.softmax_cross_entropy(logits, labels)
    grad = (1 - eps) * F.softmax_cross_entropy_vjp(1.0, logits, labels)
    even = (F.logsumexp(logits) - logits.mean(axis=1)).mean()
    grad += eps * (F.softmax(logits) - 1 / logits.shape[1]) / len(logits)
    return (1 - eps) * hard + eps * even, grad


def smoothed_by_loop(logits, labels, eps):
    loss, grad = 0.0, []
    for z, label in zip(logits, labels, strict=True):
        q = np.full(len(z), eps / len(z))
        q[label] += 1 - eps
        shifted = z - z.max()
        log_sum = np.log(np.exp(shifted).sum())
        loss += (q * (log_sum - shifted)).sum() / len(logits)
        grad.append((np.exp(shifted - log_sum) - q) / len(logits))
    return loss, grad


def with_truth(q_of):
    def wrong(logits, labels, eps):
        q = q_of(np.eye(logits.shape[1])[labels], eps, logits.shape[1])
        loss = -(q * F.log_softmax(logits)).sum() / len(logits)
        return loss, (F.softmax(logits) - q) / len(logits)

    return wrong


def q_of_others(y, eps, K):
    return (1 - eps) * y + eps / (K - 1) * (1 - y)


def q_without_label(y, eps, K):
    return (1 - eps) * y + eps / K * (1 - y)


def q_with_eps(y, eps, K):
    return (1 - eps) * y + eps


def q_over_one(y, eps, K):
    return y + eps / K


def q_hard(y, eps, K):
    return y


def q_swapped(y, eps, K):
    return eps * y + (1 - eps) / K


def smoothed_unstable(logits, labels, eps):
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -(q * np.log(probs)).sum() / N, (probs - q) / N


def smoothed_down_columns(logits, labels, eps):
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    return -(q * F.log_softmax(logits.T).T).sum() / N, (F.softmax(logits.T).T - q) / N


def smoothed_clipped(logits, labels, eps):
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    probs = F.softmax(logits)
    return -(q * np.log(probs + 1e-12)).sum() / N, (probs - q) / N


def smoothed_divergence(logits, labels, eps):
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    loss, grad = smoothed(logits, labels, eps)
    return loss + (q * np.log(q)).sum() / N, grad


def smoothed_slope_twice(logits, labels, eps):
    loss, grad = smoothed(logits, labels, eps)
    probs = F.softmax(logits)
    return loss, grad * probs * (1 - probs)


def smoothed_as_probs(logits, labels, eps):
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    return smoothed(logits, labels, eps)[0], (logits - q) / N


def smoothed_for_probs(logits, labels, eps):
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    return smoothed(logits, labels, eps)[0], -q / F.softmax(logits) / N


def smoothed_without_truth(logits, labels, eps):
    loss, _ = smoothed(logits, labels, eps)
    return loss, F.softmax(logits) / len(logits)


def smoothed_without_prediction(logits, labels, eps):
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    return smoothed(logits, labels, eps)[0], -q / N


def smoothed_without_log(logits, labels, eps):
    N, K = logits.shape
    q = (1 - eps) * np.eye(K)[labels] + eps / K
    return -(q * F.softmax(logits)).sum() / N, (F.softmax(logits) - q) / N


def smoothed_entries(logits, labels, eps):
    loss, grad = smoothed(logits, labels, eps)
    return loss / logits.shape[1], grad / logits.shape[1]


def softplus_at_sigmoid(grad_out, x):
    return grad_out * F.sigmoid(F.sigmoid(x))


def classifier_value_for_slope(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    dZ2 = (probs - one_hot) / len(X)
    dZ1 = dZ2 @ W2.T * h
    return X.T @ dZ1, dZ1.sum(axis=0), h.T @ dZ2, dZ2.sum(axis=0)


def classifier_for_the_probs(X, labels, W1, b1, W2, b2):
    h, probs, one_hot = two_layers(X, labels, W1, b1, W2, b2)
    return back_from(-one_hot / probs / len(X), h, X, W2)


def smoothed_last_term(logits, labels, eps):
    _, grad = smoothed(logits, labels, eps)
    N, K = logits.shape
    q = np.full(K, eps / K)
    q[labels[-1]] += 1 - eps
    return (F.logsumexp(logits[-1]) - logits[-1, -1]) * q[-1] / N, grad


EXERCISES = [
    Exercise(
        number="06.1",
        title="A rectifier with a round corner",
        reference=softplus_vjp,
        inputs=softplus_inputs,
        gradient=True,
        mistakes=[
            Mistake(
                "sigmoid-twice",
                softplus_at_sigmoid,
                "The sigmoid is taken twice. Its argument is the input itself.",
                ACTIVATIONS,
            ),
            Mistake("activation-missing", softplus_through),
            Mistake(
                "at-output",
                softplus_at_output,
                "The derivative is taken at the output, $y = \\log(1+e^x)$. Your "
                "formula is one in terms of the input `x`.",
                ACTIVATIONS,
            ),
            Mistake(
                "overflows",
                softplus_overflows,
                "The formula is right on paper, and gives `nan` where $e^x$ overflows: "
                "infinity divided by infinity. Which form of it needs only $e^{-|x|}$?",
                ACTIVATIONS,
            ),
            Mistake(
                "one-derivative-too-many",
                softplus_sigmoid_vjp,
                "This is the slope of the sigmoid: one derivative too many. Begin with "
                "the softplus itself.",
                ACTIVATIONS,
            ),
            Mistake(
                "sigmoid-rule",
                softplus_sigmoid_vjp_of_x,
                "This is $x(1-x)$, the rule of the sigmoid with `x` for its output. "
                "Softplus has a derivative of its own: differentiate the logarithm.",
                ACTIVATIONS,
            ),
            Mistake(
                "gate",
                softplus_gate,
                "This is the gate of the rectifier, open or closed. Softplus has a "
                "round corner: near 0 the gate is half open.",
                ACTIVATIONS,
            ),
            Mistake(
                "mirrored",
                softplus_mirrored,
                "This slope falls from 1 to 0; that of softplus rises from 0 to 1. Is "
                "a sign in the exponent wrong, or the derivative of $1 + e^x$ left "
                "out?",
                ACTIVATIONS,
            ),
            Mistake(
                "forward",
                softplus_forward,
                "Here `grad_out` is multiplied by the function itself, where its "
                "derivative belongs.",
                ACTIVATIONS,
            ),
        ],
        absent={
            "assigned": "each entry is used once",
            "broadcast": "nothing is broadcast",
        },
        variants=[softplus_by_tanh, softplus_by_mask, softplus_by_loop],
        hints=(
            "Two links of a chain: the logarithm, and what stands inside it. What is "
            "the derivative of each?",
            "$\\frac{d}{dx}\\log(1+e^x) = \\frac{e^x}{1+e^x}$. You have met this "
            "function; and its second form does not overflow where this one does.",
            "Divide above and below by $e^x$: it is $\\sigma(x)$. The package has it, "
            "safe at both ends. The vjp multiplies, entry by entry.",
        ),
        explanation=(
            "$\\frac{d}{dx}\\log(1+e^x) = \\frac{e^x}{1+e^x} = \\sigma(x)$: the slope "
            "of the round rectifier is a gate that opens gradually. Written as it "
            "stands it gives infinity over infinity at $x = 1000$; `F.sigmoid` does "
            "not."
        ),
    ),
    Exercise(
        number="06.2",
        title="A leak that learns",
        reference=leaky_vjp,
        inputs=leaky_inputs,
        gradient=True,
        outputs=("grad_x", "grad_slope"),
        mistakes=[
            Mistake(
                "everywhere",
                leaky_everywhere,
                "The slope is taken for all inputs, also for those above 0. There the "
                "output is `x` itself, and the slope has no say.",
                ACTIVATIONS,
            ),
            Mistake(
                "activation-missing",
                leaky_through,
                "The gradient passes as if there were no gate: what is below 0 was "
                "multiplied by a slope, and what is above was not.",
                ACTIVATIONS,
            ),
            Mistake(
                "at-output",
                leaky_at_output,
                "The gate is set by the sign of the *output*. With a negative slope, "
                "a negative input has a positive output. Only the input tells.",
                ACTIVATIONS,
            ),
            Mistake("assigned", leaky_assigned, where=BIAS),
            Mistake("broadcast", leaky_not_summed, where=BIAS),
            Mistake(
                "closed",
                leaky_closed,
                "This is the rectifier's gate, closed below 0. A leaky one lets a "
                "share of the gradient pass there.",
                ACTIVATIONS,
            ),
            Mistake(
                "swapped",
                leaky_swapped,
                "The two sides are exchanged: the slope belongs to the inputs below 0.",
                ACTIVATIONS,
            ),
            Mistake(
                "of-the-output",
                leaky_of_output,
                "The gradient of the slope is built from the output. What is one unit "
                "more of the slope multiplied with in the forward formula, and for "
                "which entries?",
                "05_vectorized_backprop#The rules, by index",
            ),
            Mistake(
                "only-counted",
                leaky_counted,
                "The entries below 0 are added up as if each counted the same. A unit "
                "more of the slope matters more where the input is farther from 0.",
                "05_vectorized_backprop#The rules, by index",
            ),
            Mistake(
                "one-after-the-other",
                leaky_from_grad_x,
                "`grad_x` was used to find `grad_slope`. Both are inputs of the same "
                "operation: each gets its gradient from `grad_out`.",
                "05_vectorized_backprop#One form for every rule: the vjp",
            ),
            Mistake(
                "forward",
                leaky_forward,
                "`grad_out` is multiplied by the output, where the derivative belongs.",
                ACTIVATIONS,
            ),
            Mistake(
                "slope-negative",
                leaky_negative,
                "Below 0 the sign is turned round. The input is negative there; its "
                "factor is the slope as it is.",
                ACTIVATIONS,
            ),
            Mistake(
                "last-leak",
                leaky_last_leak,
                "Only the last negative entry of each column is left: every one "
                "overwrites the one before. They all use the same slope, so they add.",
                BIAS,
            ),
            Mistake(
                "all-summed",
                leaky_all_summed,
                "All columns are added into one number. Each column has a slope of its "
                "own, so only what was copied, the rows, is summed.",
                BIAS,
            ),
        ],
        variants=[leaky_by_masks, leaky_by_loops, leaky_in_place],
        hints=(
            "Take one entry: $y_{nh} = x_{nh}$ above 0, and $y_{nh} = a_h x_{nh}$ "
            "below. Write the two derivatives, for $x_{nh}$ and for $a_h$, on each "
            "side.",
            "For $x$: 1 above, $a_h$ below. For $a_h$: 0 above, $x_{nh}$ below. The "
            "same $a_h$ serves every row.",
            "`np.where(x > 0, …, …)` makes the factors for `grad_x`. For `grad_slope` "
            "multiply `grad_out` by `x` where it is negative, by 0 elsewhere, and sum "
            "over the axis that `slope` does not have.",
        ),
        explanation=(
            "Below 0 the entry is a product $a_h x_{nh}$, so each factor gets the "
            "other one times $G_{nh}$; above 0 the slope has no part. The slope was "
            "broadcast over the rows, so its gradient is summed over them. If all "
            "slopes were positive, the sign of the output would tell the sign of the "
            "input, and a layer could remember its output alone. This layer is known "
            "as PReLU."
        ),
    ),
    Exercise(
        number="06.3",
        title="The classifier that trains",
        reference=classifier_grads,
        inputs=classifier_inputs,
        gradient=True,
        outputs=("dW1", "db1", "dW2", "db2"),
        mistakes=[
            Mistake(
                "value-for-derivative",
                classifier_value_for_slope,
                "The gradient is multiplied by what the tanh gives. On the way back it "
                "is its derivative that counts.",
                ACTIVATIONS,
            ),
            Mistake(
                "for-the-probabilities",
                classifier_for_the_probs,
                "This is the gradient for the probabilities. Between them and the "
                "logits stands the softmax, and the way back leads through it.",
                SOFTMAX,
            ),
            Mistake(
                "softmax-diagonal",
                classifier_diagonal,
                "The softmax goes back as if each logit moved its own probability "
                "alone. It moves all of its row, through the sum.",
                SOFTMAX,
            ),
            Mistake(
                "sigmoid-slope",
                classifier_sigmoid,
                "$h(1-h)$ is the slope of the sigmoid. The hidden layer is a tanh.",
                ACTIVATIONS,
            ),
            Mistake(
                "bias-averaged",
                classifier_averaged,
                "The gradient of the bias is a mean over the rows. The loss has "
                "brought in its $1/N$ already; from there on, the rows are summed.",
                BIAS,
            ),
            Mistake(
                "several-left",
                classifier_as_found,
                "These numbers are still those of the code as it was found. There is "
                "more than one bug behind them: look at each of its last three lines.",
                SOFTMAX,
            ),
            Mistake(
                "two-left",
                classifier_two_left,
                "Two of the bugs are still in it: the way back through the softmax, "
                "and the slope of the hidden layer.",
                SOFTMAX,
            ),
            Mistake("activation-missing", classifier_linear),
            Mistake(
                "at-output",
                classifier_tanh_twice,
                "The slope $1 - y^2$ wants the output of the tanh, and `h` is the "
                "output already. Here the tanh is applied once more.",
                ACTIVATIONS,
            ),
            Mistake(
                "at-input",
                hidden_slope(lambda z: 1 - z**2),
                "The slope $1 - y^2$ wants the output of the tanh. Here it is given "
                "what went into it.",
                ACTIVATIONS,
            ),
            Mistake(
                "weights-with-input",
                classifier_weights_with_input,
                "`dW2` is made with what goes *into* the tanh. The second layer is "
                "given what comes out of it.",
                BY_HAND,
            ),
            Mistake(
                "slope-twice",
                hidden_slope(lambda z: (1 - np.tanh(z) ** 2) ** 2),
                "The slope of the tanh is multiplied in twice.",
                ACTIVATIONS,
            ),
            Mistake(
                "not-squared",
                hidden_slope(lambda z: 1 - np.tanh(z)),
                "The slope of the tanh is not $1 - y$. One letter of it is squared.",
                ACTIVATIONS,
            ),
            Mistake(
                "gate",
                hidden_slope(lambda z: z > 0),
                "This is the gate of a rectifier. The hidden layer is a tanh.",
                ACTIVATIONS,
            ),
            Mistake("assigned", classifier_last, where=BIAS),
            Mistake("broadcast", classifier_not_summed, where=BIAS),
            Mistake(
                "mean-forgotten",
                logit_grad(lambda z, p, y: (p - y) * len(p)),
                "The loss is a mean over the examples, and its $1/N$ is missing. It "
                "comes in once, at the loss.",
                SOFTMAX,
            ),
            Mistake(
                "one-row",
                classifier_one_row,
                "The gradient of the loss is summed over the batch, so that every "
                "example gets the same row. Each has a row of its own.",
                SOFTMAX,
            ),
            Mistake(
                "truth-missing",
                classifier_without_truth,
                "The labels have no part in it. The gradient is prediction *minus "
                "truth*.",
                SOFTMAX,
            ),
            Mistake(
                "softmax-twice",
                classifier_softmax_twice,
                "The softmax is applied to probabilities. They have been through it.",
                TRAIN,
            ),
            Mistake(
                "softmax-missing",
                logit_grad(lambda z, p, y: z - y),
                "The truth is subtracted from the logits. Logits are no probabilities: "
                "the softmax is missing.",
                SOFTMAX,
            ),
            Mistake(
                "softmax-axis",
                logit_grad(lambda z, p, y: along_other_axis(z) - y),
                "The softmax runs along the wrong axis: the probabilities of each "
                "*row* have the sum 1.",
                SOFTMAX,
            ),
            Mistake(
                "softmax-over-all",
                logit_grad(lambda z, p, y: over_all(z) - y),
                "The softmax is taken over the whole array. Each row has a sum of its "
                "own.",
                SOFTMAX,
            ),
            Mistake(
                "sigmoid-of-softmax",
                logit_grad(lambda z, p, y: (p - y) * p * (1 - p)),
                "Prediction minus truth is multiplied by $p(1-p)$, as it is for a "
                "squared error behind a sigmoid. In the cross-entropy that factor has "
                "cancelled.",
                LOGITS,
            ),
            Mistake(
                "over-entries",
                logit_grad(lambda z, p, y: (p - y) / p.shape[1]),
                "It is divided by the number of classes as well. The mean of "
                "cross-entropy runs over the examples alone.",
                SOFTMAX,
            ),
            Mistake("axis", bias_grad(lambda dZ: dZ.sum(axis=1)), where=BIAS),
            Mistake("first-only", bias_grad(lambda dZ: dZ[0]), where=BIAS),
            Mistake(
                "through-softmax-twice",
                classifier_vjp_of_difference,
                "`probs - one_hot` is the gradient for the *logits*: the softmax's "
                "vjp is inside it. Here it is multiplied in once more.",
                SOFTMAX,
            ),
        ],
        variants=[
            classifier_fused,
            classifier_through_softmax,
            classifier_by_example,
            classifier_with_layers,
        ],
        hints=(
            "Check the arrays from behind, with `gradcheck` or on paper: which lines "
            "hold a formula that this notebook has derived?",
            "Three formulas to compare: the vjp of softmax (how many terms has it?), "
            "the derivative of tanh from its output, the gradient of a bias.",
            "The diagonal of the softmax's Jacobian is only a part of it: use "
            "$(p - y)/N$ for the logits. tanh is not the sigmoid. And `mean` divides "
            "by $N$ a second time.",
        ),
        explanation=(
            "Three bugs. `dprobs * probs * (1 - probs)` takes the diagonal of the "
            "softmax's Jacobian and leaves out that each logit moves the whole row; as "
            "`dprobs` is 0 but at the label, the label's entries come out right and "
            "the others are 0. `h * (1 - h)` is the sigmoid's slope. `mean` divides "
            "the bias gradients by $N$ once more. The loss falls all the same: the "
            "logit of the right class is pushed up, and that is enough for a while."
        ),
    ),
    Exercise(
        number="06.4",
        title="Predict: a network that knows nothing",
        reference=fresh,
        outputs=("loss", "at the label", "elsewhere", "smallest, softmax twice"),
        tolerance=4e-3,  # three digits: 1.39 is right, too
        mistakes=[
            Mistake(
                "no-mean",
                lambda: (5 * np.log(4), -0.75, 0.25, np.log(1 + 3 / np.e)),
                "This is the number of one example, or the sum over five. The loss is "
                "a mean over the batch, and its gradient has a $1/N$ in it.",
                SOFTMAX,
            ),
            Mistake(
                "over-entries",
                lambda: (np.log(4) / 4, -0.0375, 0.0125, np.log(1 + 3 / np.e) / 4),
                "This is divided by the number of classes as well. The mean of "
                "cross-entropy runs over the examples alone.",
                SOFTMAX,
            ),
            Mistake(
                "probability",
                lambda: (0.25, 0.05, 0.25 / 5 - 1, 0.0),
                "Is this a probability? The loss is the *negative logarithm* of one; "
                "its gradient is the probability *minus the truth*, over $N$. And with "
                "softmax twice, what goes in as logits lies between 0 and 1: the loss "
                "cannot reach 0.",
                SOFTMAX,
            ),
            Mistake(
                "n-for-k",
                lambda: (np.log(5), -0.16, 0.04, np.log(1 + 4 / np.e)),
                "Examples and classes are exchanged: there are four classes to choose "
                "from, and five examples to take the mean over.",
                SOFTMAX,
            ),
            Mistake(
                "four-for-n",
                lambda: (np.log(4) / 5, -0.75 / 4, 0.25 / 4, np.log(4)),
                "Look at which number divides what: the mean is over five examples, "
                "each of which has the same loss. The smallest loss belongs to a "
                "network that is sure and right.",
                SOFTMAX,
            ),
            Mistake(
                "base-ten",
                lambda: (np.log10(4), -1.0, 0.0, np.log10(1 + 3 / np.e)),
                "The logarithm of the course is the natural one. And a gradient of "
                "$-1$ and 0 would be that of a network with probability 0 for the "
                "right class; here each class has a quarter.",
                SOFTMAX,
            ),
            Mistake(
                "ten-classes",
                lambda: (np.log(10), -0.18, 0.02, np.log(1 + 9 / np.e)),
                "This is the number for ten classes. Here are four.",
                TRAIN,
            ),
            Mistake(
                "truth-alone",
                lambda: (0.0, -0.2, 0.0, 1.0),
                "The truth alone, without a prediction? A network that knows nothing "
                "still says something: it gives every class the same probability.",
                SOFTMAX,
            ),
            Mistake(
                "two-classes",
                lambda: (np.log(2), -0.1, 0.1, np.log(1 + 1 / np.e)),
                "This is the number for two classes. Here are four.",
                TRAIN,
            ),
        ],
        hints=(
            "All logits are equal, so all classes are equally likely. What is the "
            "probability of each?",
            "The loss of each example is $-\\log\\frac14$. The gradient is "
            "$(p - y)/N$, with $N = 5$.",
            "With softmax twice, the best logits that a first softmax can offer are "
            "$(1, 0, 0, 0)$. Put them into $\\operatorname{logsumexp}(z) - z_t$.",
        ),
        explanation=(
            "Equal logits give each of the four classes the probability ¼: the loss is "
            "$\\log 4 = 1.386$, the gradient $(\\frac14 - 1)/5 = -0.15$ at the label "
            "and $\\frac14/5 = 0.05$ elsewhere. Softmax twice offers at best the "
            "logits $(1, 0, 0, 0)$, with the loss $\\log(1 + 3/e) = 0.744$."
        ),
    ),
    Exercise(
        number="06.5",
        title="A truth that is not quite sure",
        reference=smoothed,
        inputs=smoothed_inputs,
        gradient=True,
        outputs=("loss", "grad"),
        mistakes=[
            Mistake(
                "last-term",
                smoothed_last_term,
                "Of the loss, only the last term is left: each one overwrites the one "
                "before. A sum collects.",
                LOGITS,
            ),
            Mistake(
                "axis",
                smoothed_down_columns,
                "The softmax runs down the columns: it compares examples with each "
                "other. Each example has probabilities of its own, one row that adds "
                "up to 1.",
                SOFTMAX,
            ),
            Mistake(
                "over-others",
                with_truth(q_of_others),
                "The share $\\epsilon$ is given to the *other* classes alone, "
                "$\\epsilon/(K-1)$ each. In the formula all $K$ classes get "
                "$\\epsilon/K$, the label too.",
                SOFTMAX,
            ),
            Mistake(
                "label-left-out",
                with_truth(q_without_label),
                "The label gets no part of $\\epsilon$, so that the smoothed truth "
                "does not add up to 1.",
                SOFTMAX,
            ),
            Mistake(
                "not-divided",
                with_truth(q_with_eps),
                "Every class gets the whole of $\\epsilon$. Add up a row of $q$: a "
                "distribution has the sum 1.",
                SOFTMAX,
            ),
            Mistake(
                "label-not-reduced",
                with_truth(q_over_one),
                "The label keeps its full 1, and $\\epsilon$ comes on top: a row of "
                "$q$ adds up to more than 1.",
                SOFTMAX,
            ),
            Mistake(
                "not-smoothed",
                with_truth(q_hard),
                "The truth is not smoothed here: it is still 1 at the label and 0 "
                "elsewhere.",
                SOFTMAX,
            ),
            Mistake(
                "swapped",
                with_truth(q_swapped),
                "$\\epsilon$ and $1-\\epsilon$ have changed places: the label has "
                "almost no say.",
                SOFTMAX,
            ),
            Mistake(
                "overflows",
                smoothed_unstable,
                "Right on paper, `nan` or infinite at logits of 1000: there $e^z$ "
                "overflows, and a probability that has rounded to 0 has no logarithm. "
                "Which form needs neither?",
                SOFTMAX,
            ),
            Mistake(
                "activation-missing",
                smoothed_as_probs,
                "The truth is subtracted from the *logits*: the softmax is missing in "
                "the gradient.",
                SOFTMAX,
            ),
            Mistake(
                "at-output",
                smoothed_for_probs,
                "This is the gradient for the probabilities. The function is given "
                "logits, so the gradient has to go on, through the softmax.",
                SOFTMAX,
            ),
            Mistake(
                "truth-missing",
                smoothed_without_truth,
                "The labels have no part in the gradient.",
                SOFTMAX,
            ),
            Mistake(
                "prediction-missing",
                smoothed_without_prediction,
                "The prediction has no part in the gradient: the second way, through "
                "the log-sum-exp, is left out.",
                SOFTMAX,
            ),
            Mistake(
                "log-missing",
                smoothed_without_log,
                "The probabilities are averaged as they are. Cross-entropy takes their "
                "logarithms.",
                SOFTMAX,
            ),
            Mistake(
                "clipped",
                smoothed_clipped,
                "A small number is added to the probability before its logarithm is "
                "taken. That keeps it finite, and makes it wrong where it matters: the "
                "worst predictions cost too little.",
                SOFTMAX,
            ),
            Mistake(
                "divergence",
                smoothed_divergence,
                "Something is subtracted that does not depend on the logits: this is "
                "the divergence between $q$ and $p$. Its gradient is the same; the "
                "loss asked for is the cross-entropy itself.",
                SOFTMAX,
            ),
            Mistake(
                "sigmoid-of-softmax",
                smoothed_slope_twice,
                "Prediction minus truth is multiplied by $p(1-p)$ once more. The way "
                "back through the softmax is inside it already.",
                SOFTMAX,
            ),
            Mistake(
                "over-entries",
                smoothed_entries,
                "It is divided by the number of classes too. The mean of cross-entropy "
                "runs over the examples alone.",
                SOFTMAX,
            ),
        ],
        absent={
            "assigned": "each logit is used in one row",
            "broadcast": "nothing that has a gradient is broadcast",
        },
        variants=[smoothed_on_the_tape, smoothed_as_mixture, smoothed_by_loop],
        hints=(
            "Cross-entropy with a truth $q$ that is no longer one-hot: "
            "$L = -\\frac1N \\sum_n \\sum_k q_{nk} \\log p_{nk}$. Which function gives "
            "$\\log p$ without overflow?",
            "Go back through `log_softmax`: with $G = -q/N$ its vjp is "
            "$G_j - p_j \\sum_k G_k$. What is $\\sum_k q_k$?",
            "The sum of each row of $q$ is 1, so the gradient is $(p - q)/N$: "
            "prediction minus truth once more, with another truth.",
        ),
        explanation=(
            "Nothing in the derivation needs a one-hot truth, only that each row of "
            "$q$ adds up to 1: the gradient is $(p - q)/N$. It is 0 where $p = q$, and "
            "$q$ is nowhere 0, so the loss wants logits with finite differences, "
            "$z_t - z_k = \\log\\frac{1 - \\epsilon + \\epsilon/K}{\\epsilon/K}$; "
            "without smoothing it wanted infinite ones."
        ),
    ),
]
