"""Every formula of the course once: each function beside its vector–Jacobian product.

All functions are pure: arrays in, arrays out, nothing remembered, nothing changed in
place. For a function `y = f(x)` inside a longer computation of a loss L,
`f_vjp(grad_out, …)` turns `grad_out = ∂L/∂y` into `∂L/∂x`.

- Rows are examples: `X` is (N, D), `X @ W + b` with `W` (fan_in, fan_out).
- Losses are means over the batch; logits go in, unless a name says otherwise.
- An `axis` is counted from either end; `keepdims` keeps it, with length 1.
- The arithmetic rules (`add` … `relu`) work on floats and on arrays alike. Where NumPy
  broadcasts an input, its gradient has the shape of the *output* until `unbroadcast`
  sums it back.

A formula is called by its name alone, `F.relu`, wherever it is kept:

- `elementwise`: arithmetic, exp, log, sin, sigmoid, relu, maximum, clip, where,
  dropout …
- `shapes`: unbroadcast, spread, reshape, transpose, getitem, concatenate
- `reductions`: sum, mean, max, min, var, std
- `products`: matmul, linear
- `logits`: softmax, logsumexp, log_softmax
- `losses`: mse, the cross-entropies
- `normalisation`: standardise, layer_norm, batch_norm
- `convolution`: windows, conv2d
- `pooling`: max_pool2d, mean_pool2d
- `attention`: attention_weights, scaled_dot_product_attention
"""

from course_utils.functional.elementwise import (
    add,
    add_vjp,
    sub,
    sub_vjp,
    neg,
    neg_vjp,
    mul,
    mul_vjp,
    div,
    div_vjp,
    power,
    power_vjp,
    exp,
    exp_vjp,
    log,
    log_vjp,
    tanh,
    tanh_vjp,
    sqrt,
    sqrt_vjp,
    abs,  # noqa: A004 — the field's name
    abs_vjp,
    sin,
    sin_vjp,
    cos,
    cos_vjp,
    raised,
    raised_vjp,
    sigmoid,
    sigmoid_vjp,
    relu,
    relu_vjp,
    maximum,
    maximum_vjp,
    minimum,
    minimum_vjp,
    clip,
    clip_vjp,
    where,
    where_vjp,
    _check_share,
    dropout,
    dropout_vjp,
)
from course_utils.functional.products import (
    _check_matmul,
    matmul,
    matmul_vjp,
    linear,
    linear_vjp,
)
from course_utils.functional.logits import (
    _largest,
    softmax,
    softmax_vjp,
    logsumexp,
    logsumexp_vjp,
    log_softmax,
    log_softmax_vjp,
)
from course_utils.functional.losses import (
    _check_targets,
    mse,
    mse_vjp,
    binary_cross_entropy,
    binary_cross_entropy_vjp,
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_vjp,
    softmax_cross_entropy,
    softmax_cross_entropy_vjp,
)
from course_utils.functional.shapes import (
    unbroadcast,
    spread,
    reshape,
    reshape_vjp,
    transpose,
    transpose_vjp,
    getitem,
    getitem_vjp,
    concatenate,
    concatenate_vjp,
)
from course_utils.functional.reductions import (
    sum,  # noqa: A004 — the field's name
    sum_vjp,
    mean,
    mean_vjp,
    max,  # noqa: A004 — the field's name
    max_vjp,
    min,  # noqa: A004 — the field's name
    min_vjp,
    var,
    var_vjp,
    std,
    std_vjp,
    row_mean,
)
from course_utils.functional.normalisation import (
    standardise,
    layer_norm,
    layer_norm_vjp,
    channelwise,
    batch_statistics,
    batch_norm,
    batch_norm_vjp,
    batch_norm_eval,
    batch_norm_eval_vjp,
)
from course_utils.functional.convolution import (
    _check_sizes,
    _is_whole,
    out_size,
    windows,
    windows_vjp,
    pad,
    columns,
    conv2d,
    conv2d_vjp,
)
from course_utils.functional.pooling import (
    shifts,
    put_back,
    firsts,
    max_pool2d,
    max_pool2d_vjp,
    mean_pool2d,
    mean_pool2d_vjp,
)
from course_utils.functional.attention import (
    _check_mask,
    _check_queries,
    _check_values,
    attention_weights,
    attention_weights_vjp,
    scaled_dot_product_attention,
    scaled_dot_product_attention_vjp,
)
