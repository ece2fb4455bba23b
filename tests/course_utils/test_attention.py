"""Attention: the formulas, the tape and the modules against torch, over many shapes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils import functional as F
from course_utils.attention import (
    Embedding,
    MultiHeadAttention,
    Positions,
    TransformerBlock,
    attention_weights,
    causal_mask,
    scaled_dot_product_attention,
)
from course_utils.gradcheck import gradcheck
from course_utils.tape import Tape
from course_utils.tensor import Tensor

CLOSE = {"rtol": 1e-12, "atol": 1e-13}
torch_attention = torch.nn.functional.scaled_dot_product_attention
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 5)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def some_mask(rng, *shape):
    """Booleans in which each row has a True at least."""
    mask = rng.random(shape) < 0.5
    mask[..., 0] |= ~mask.any(axis=-1)
    return mask


def from_torch(function, grad_out, *arrays):
    """Output and gradients of torch, in float64."""
    leaves = [torch.tensor(x, requires_grad=True) for x in arrays]
    out = function(*leaves)
    out.backward(torch.tensor(grad_out))
    return out.detach().numpy(), [leaf.grad.numpy() for leaf in leaves]


def assert_close(ours, theirs):
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, **CLOSE)


# --- the formula ----------------------------------------------------------------------


@given(
    seed=seeds,
    lead=st.lists(st.integers(0, 3), max_size=2),
    N=st.integers(0, 5),
    M=sizes,
    d=sizes,
    h=sizes,
    masked=st.sampled_from(["no", "one", "each"]),
)
def test_attention_equals_torch(seed, lead, N, M, d, h, masked):
    rng = np.random.default_rng(seed)
    q, k = rng.normal(size=(*lead, N, d)), rng.normal(size=(*lead, M, d))
    v, g = rng.normal(size=(*lead, M, h)), rng.normal(size=(*lead, N, h))
    shape = (*lead, N, M) if masked == "each" else (N, M)
    mask = None if masked == "no" else some_mask(rng, *shape)
    peer = None if mask is None else torch.tensor(mask)
    expected, grads = from_torch(lambda *x: torch_attention(*x, peer), g, q, k, v)
    assert_close(F.scaled_dot_product_attention(q, k, v, mask), expected)
    ours = F.scaled_dot_product_attention_vjp(g, q, k, v, mask)
    tensors = [Tensor(x) for x in (q, k, v)]
    scaled_dot_product_attention(*tensors, mask).backward(g)
    for x, mine, theirs in zip(tensors, ours, grads, strict=True):
        assert_close(mine, theirs)
        assert_close(x.grad, theirs)


def test_three_tokens_by_hand():
    """Scores log 1, log 2 … once √d is divided out, so the weights are thirds."""
    q = np.array([[np.log(2) * np.sqrt(2), 0.0]])
    k, v = np.array([[1.0, 5.0], [0.0, 7.0]]), np.array([[3.0], [6.0]])
    np.testing.assert_allclose(F.attention_weights(q, k), [[2 / 3, 1 / 3]], rtol=1e-15)
    np.testing.assert_allclose(F.scaled_dot_product_attention(q, k, v), [[4.0]])


def test_against_central_differences():
    rng = np.random.default_rng(1)
    q, k, v = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 5, 4)), normal(2, 5, 2)
    g, mask = rng.normal(size=(2, 3, 2)), some_mask(rng, 3, 5)
    grads = F.scaled_dot_product_attention_vjp(g, q, k, v, mask)

    def f(q, k, v):
        return F.scaled_dot_product_attention(q, k, v, mask)

    assert gradcheck(f, (q, k, v), grads, grad_out=g)
    G = rng.normal(size=(2, 3, 5))
    back = F.attention_weights_vjp(G, q, k, F.attention_weights(q, k))
    assert gradcheck(F.attention_weights, (q, k), back, grad_out=G)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 40.0])
def test_large_scores_neither_overflow_nor_vanish(scale):
    q, k, v = (scale * normal(3, 4, seed=s) for s in range(3))
    g = normal(3, 4, seed=3)
    expected, grads = from_torch(torch_attention, g, q, k, v)
    with np.errstate(all="raise", under="ignore"):
        assert_close(F.scaled_dot_product_attention(q, k, v), expected)
        ours = F.scaled_dot_product_attention_vjp(g, q, k, v)
    for mine, theirs in zip(ours, grads, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12 * scale)


def test_rows_of_very_different_size_keep_their_weights():
    """A row whose scores all lie far below those of the others is no row of zeros."""
    for dtype, far in ((np.float32, 1e4), (np.float64, 1e6)):
        q = np.array([[far], [-far], [0.0]], dtype)
        k = np.array([[1.0], [1.0 + 2 / far]], dtype)
        weights = F.attention_weights(q, k)
        assert weights.dtype == dtype
        np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-6)
        np.testing.assert_allclose(weights[0], weights[1, ::-1], rtol=1e-3)
        assert 0.85 < weights[0, 1] < 0.9


def test_what_is_masked_gets_no_weight_and_no_gradient():
    q, k, v = normal(3, 2), normal(3, 2, seed=1), normal(3, 2, seed=2)
    mask, far = causal_mask(3), k.copy()
    far[2] = 1e6  # only the last query may see it
    ours = F.scaled_dot_product_attention(q, k, v, mask)
    np.testing.assert_array_equal(
        ours[:2], F.scaled_dot_product_attention(q, far, v, mask)[:2]
    )
    g = np.array([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]])
    for grad in F.scaled_dot_product_attention_vjp(g, q, k, v, mask)[1:]:
        assert (grad[2] == 0).all() and (grad[0] != 0).any()


def test_queries_shared_by_a_batch_collect_their_gradients():
    q, k, v = normal(1, 4), normal(3, 5, 4, seed=1), normal(3, 5, 2, seed=2)
    g = normal(3, 1, 2, seed=3)
    expected, grads = from_torch(
        lambda q, k, v: torch_attention(q.expand(3, 1, 4), k, v), g, q, k, v
    )
    tensors = [Tensor(x) for x in (q, k, v)]
    out = scaled_dot_product_attention(*tensors)
    out.backward(g)
    assert_close(out.data, expected)
    for x, theirs in zip(tensors, grads, strict=True):
        assert_close(x.grad, theirs)


def test_float32_stays_float32():
    q, k, v = (normal(2, 3, 4, seed=s).astype(np.float32) for s in range(3))
    mask = causal_mask(3)
    out = F.scaled_dot_product_attention(q, k, v, mask)
    grads = F.scaled_dot_product_attention_vjp(out, q, k, v, mask)
    assert {x.dtype for x in (out, *grads)} == {np.dtype(np.float32)}
    rng = np.random.default_rng(0)
    block = TransformerBlock(4, 2, rng, causal=True, dtype=np.float32)
    loss = (block(q) * block(q)).mean()
    loss.backward()
    kept = {node.data.dtype for node in Tape(loss).nodes}
    assert kept | {p.grad.dtype for p in block.parameters()} == {np.dtype(np.float32)}


def test_nothing_is_changed_in_place():
    arrays = [normal(2, 3, 4, seed=s) for s in range(3)]
    before = [x.copy() for x in arrays]
    mask = causal_mask(3)
    out = F.scaled_dot_product_attention(*arrays, mask)
    F.scaled_dot_product_attention_vjp(out, *arrays, mask)
    weights = F.attention_weights(*arrays[:2], mask)
    kept, g = weights.copy(), weights.copy()
    F.attention_weights_vjp(g, *arrays[:2], weights)
    for a, b in zip([*arrays, weights, g], [*before, kept, kept], strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(mask, np.tri(3) == 1)


def test_a_replay_computes_new_weights():
    q, k = Tensor(normal(3, 2)), Tensor(normal(3, 2, seed=1))
    out = scaled_dot_product_attention(q, k, k, causal_mask(3)).sum()
    tape, data = Tape(out), normal(3, 2, seed=2)
    q.data[...] = data
    tape.forward()
    tape.backward()
    grads = F.scaled_dot_product_attention_vjp(
        np.ones((3, 2)), data, k.data, k.data, causal_mask(3)
    )
    np.testing.assert_allclose(q.grad, grads[0], **CLOSE)
    np.testing.assert_allclose(k.grad, grads[1] + grads[2], **CLOSE)


def test_the_causal_mask_by_number():
    assert causal_mask(3).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


# --- the modules ----------------------------------------------------------------------


def off_the_start(module, seed=5):
    """Move every parameter a little: at its first 0 or 1 a mistake may hide."""
    rng = np.random.default_rng(seed)
    for p in module.parameters():
        p.data = p.data + 0.1 * rng.normal(size=p.shape)
    return module


def as_parameter(array):
    return torch.nn.Parameter(torch.tensor(array))


def give_attention(peer, ours):
    """Hand our weights to torch's attention, which keeps q, k and v in one matrix."""
    three = ours.query, ours.key, ours.value
    peer.in_proj_weight = as_parameter(np.concatenate([f.W.data.T for f in three]))
    peer.in_proj_bias = as_parameter(np.concatenate([f.b.data for f in three]))
    peer.out_proj.weight = as_parameter(ours.out.W.data.T)
    peer.out_proj.bias = as_parameter(ours.out.b.data)


def attention_grads(peer):
    """The gradients of torch's attention, in the order of our parameters."""
    W, b = peer.in_proj_weight.grad.chunk(3), peer.in_proj_bias.grad.chunk(3)
    inner = [g for pair in zip([w.T for w in W], b, strict=True) for g in pair]
    return [*inner, peer.out_proj.weight.grad.T, peer.out_proj.bias.grad]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("d_model", "n_heads"), [(6, 1), (6, 2), (6, 3), (4, 4)])
def test_heads_equal_torchs_multihead_attention(d_model, n_heads, causal):
    rng = np.random.default_rng(2)
    ours = off_the_start(MultiHeadAttention(d_model, n_heads, rng, causal=causal))
    peer = torch.nn.MultiheadAttention(
        d_model, n_heads, batch_first=True, dtype=torch.float64
    )
    give_attention(peer, ours)
    x = Tensor(rng.normal(size=(5, 3, d_model)))
    t = torch.tensor(x.data, requires_grad=True)
    # torch's module has True where one may *not* look: the opposite of its function.
    blocked = torch.tensor(~causal_mask(3)) if causal else None
    out, weights = peer(t, t, t, attn_mask=blocked, average_attn_weights=False)
    y = ours(x)
    assert_close(y.data, out.detach().numpy())
    assert_close(ours.weights, weights.detach().numpy())
    g = rng.normal(size=y.shape)
    y.backward(g)
    out.backward(torch.tensor(g))
    assert_close(x.grad, t.grad.numpy())
    for p, theirs in zip(ours.parameters(), attention_grads(peer), strict=True):
        assert_close(p.grad, theirs.numpy())


@pytest.mark.parametrize("causal", [False, True])
def test_a_block_equals_torchs_encoder_layer(causal):
    rng = np.random.default_rng(3)
    block = off_the_start(TransformerBlock(6, 2, rng, causal=causal))
    peer = torch.nn.TransformerEncoderLayer(
        6, 2, 24, 0.0, batch_first=True, norm_first=True, dtype=torch.float64
    )
    give_attention(peer.self_attn, block.attention)
    for norm, other in ((peer.norm1, block.norm1), (peer.norm2, block.norm2)):
        norm.weight = as_parameter(other.gamma.data)
        norm.bias = as_parameter(other.beta.data)
    lines = [block.mlp.layers[0], block.mlp.layers[2]]
    for line, other in zip((peer.linear1, peer.linear2), lines, strict=True):
        line.weight, line.bias = (
            as_parameter(other.W.data.T),
            as_parameter(other.b.data),
        )
    x = Tensor(rng.normal(size=(5, 4, 6)))
    t = torch.tensor(x.data, requires_grad=True)
    out = peer(t, src_mask=torch.tensor(~causal_mask(4)) if causal else None)
    y = block(x)
    np.testing.assert_allclose(y.data, out.detach().numpy(), rtol=1e-12, atol=1e-12)
    g = rng.normal(size=y.shape)
    y.backward(g)
    out.backward(torch.tensor(g))
    two = [(m.weight, m.bias) for m in (peer.norm1, peer.norm2)]
    line = [t for m in (peer.linear1, peer.linear2) for t in (m.weight, m.bias)]
    theirs = [p.grad for p in two[0]] + attention_grads(peer.self_attn)
    theirs += [p.grad for p in two[1]] + [p.grad.t() for p in line]
    for mine, other in zip(
        [x.grad, *(p.grad for p in block.parameters())], [t.grad, *theirs], strict=True
    ):
        np.testing.assert_allclose(mine, other.numpy(), rtol=1e-12, atol=1e-12)


def test_a_causal_block_sees_nothing_of_what_comes():
    rng = np.random.default_rng(4)
    x, other = rng.normal(size=(2, 5, 4)), rng.normal(size=(2, 5, 4))
    other[:, :3] = x[:, :3]
    for causal in (True, False):
        block = TransformerBlock(4, 2, np.random.default_rng(4), causal=causal)
        same = block(x).data[:, :3] == block(other).data[:, :3]
        assert same.all() == causal


def test_without_positions_tokens_are_a_bag():
    rng = np.random.default_rng(5)
    x, order = rng.normal(size=(1, 5, 4)), [3, 1, 4, 0, 2]
    block = TransformerBlock(4, 2, rng)
    np.testing.assert_allclose(
        block(x[:, order]).data, block(x).data[:, order], **CLOSE
    )
    places = Positions(5, 4, rng)
    moved = block(places(x[:, order])).data - block(places(x)).data[:, order]
    assert np.abs(moved).max() > 0.1


@given(seed=seeds, ids=st.lists(st.integers(0, 4), max_size=6))
def test_an_embedding_equals_torch(seed, ids):
    embedding = Embedding(5, 3, np.random.default_rng(seed))
    ids = np.array(ids, int)
    g = normal(len(ids), 3)
    expected, (grad,) = from_torch(
        lambda table: torch.nn.functional.embedding(torch.tensor(ids), table),
        g,
        embedding.table.data,
    )
    out = embedding(ids)
    out.backward(g)
    assert_close(out.data, expected)
    assert_close(embedding.table.grad, grad)


def test_positions_are_added_and_learnt():
    rng = np.random.default_rng(6)
    places, x = Positions(5, 2, rng), normal(3, 4, 2)
    y = places(x)
    np.testing.assert_array_equal(y.data, x + places.table.data[:4])
    y.backward(np.ones((3, 4, 2)))
    assert places.table.grad.tolist() == [[3.0, 3.0]] * 4 + [[0.0, 0.0]]


def test_a_model_has_its_parameters_once():
    block = TransformerBlock(4, 2, np.random.default_rng(0))
    names = [name for name, _ in block.named_parameters()]
    assert names[:3] == ["norm1.gamma", "norm1.beta", "attention.query.W"]
    assert len(names) == len(set(names)) == len(block.parameters()) == 16
    block(normal(2, 3, 4))
    assert len(block.parameters()) == 16 and block.attention.weights.shape == (
        2,
        2,
        3,
        3,
    )


# --- bad input ------------------------------------------------------------------------

q23, k43, v42 = np.ones((2, 3)), np.ones((4, 3)), np.ones((4, 2))
NOWHERE = np.array([[True] * 4, [False] * 4])


def attend(q=q23, k=k43, v=v42, mask=None):
    return F.scaled_dot_product_attention(q, k, v, mask)


BAD = [
    (lambda: attend(k=np.ones((4, 2))), r"q has shape \(2, 3\) and k \(4, 2\); expect"),
    (lambda: attend(q=np.ones(3)), r"q has shape \(3,\) and k \(4, 3\)"),
    (lambda: attend(np.ones((2, 0)), np.ones((4, 0))), "the same d above 0"),
    (lambda: attend(k=np.ones((0, 3)), v=np.ones((0, 2))), "no key at all"),
    (lambda: attend(v=np.ones((3, 2))), r"v \(3, 2\); .* so v must be \(…, 4, h\)"),
    (
        lambda: attend(mask=np.ones((4, 2), bool)),
        r"mask has shape \(4, 2\); .* the weights \(2, 4\): a row for each query",
    ),
    (lambda: attend(mask=np.ones((1, 2, 4), bool)), r"mask has shape \(1, 2, 4\)"),
    (lambda: attend(mask=causal_mask(2)), r"mask has shape \(2, 2\); .* each key$"),
    (
        lambda: attend(*[np.ones((3, 2, 4))] * 3, mask=np.ones((3, 2), bool)[:, :1]),
        r"mask has shape \(3, 1\)",
    ),
    (
        lambda: attend(np.ones((5, 7, 2, 3)), k43, v42, np.ones((5, 4), bool)),
        r"mask has shape \(5, 4\).*for all queries: mask\[:, None, None\]",
    ),
    (
        lambda: attend(np.ones((2, 1, 3)), np.ones((3, 4, 3)), v42),
        r"do not broadcast: q \(2, 1, 3\), k \(3, 4, 3\); expected the same numbers",
    ),
    (
        lambda: attend(np.ones((2, 1, 3)), k43, np.ones((3, 4, 2))),
        r"do not broadcast: q .*, v \(3, 4, 2\)",
    ),
    (lambda: attend(mask=NOWHERE), r"query \(1,\) look nowhere .* take ~mask"),
    (
        lambda: attend(np.ones((3, 2, 3)), np.ones((3, 4, 3)), mask=NOWHERE),
        r"query \(0, 1\) look nowhere \(of weights \(3, 2, 4\)\)",
    ),
    (
        lambda: scaled_dot_product_attention(q23, k43, np.ones((3, 2))),
        r"k has shape \(4, 3\) and v \(3, 2\)",
    ),
    (lambda: attention_weights(q23, k43, NOWHERE), "look nowhere"),
    (
        lambda: MultiHeadAttention(10, 4, np.random.default_rng(0)),
        "d_model is 10 and n_heads 4; .* must divide it",
    ),
    (lambda: TransformerBlock(8, 0, np.random.default_rng(0)), "n_heads is 0"),
    (
        lambda: MultiHeadAttention(4, 2, np.random.default_rng(0))(np.ones((3, 4))),
        r"x has shape \(3, 4\); expected \(B, N, 4\).* x\[None\]",
    ),
    (
        lambda: MultiHeadAttention(4, 2, np.random.default_rng(0))(np.ones((1, 3, 6))),
        r"x has shape \(1, 3, 6\); expected \(B, N, 4\)",
    ),
    (
        lambda: Embedding(5, 2, np.random.default_rng(0))([0, 5]),
        "numbers in 0 … 4, .* found 0 … 5",
    ),
    (lambda: Embedding(5, 2, np.random.default_rng(0))([-1]), r"found -1 … -1"),
    (
        lambda: Positions(3, 2, np.random.default_rng(0))(np.ones((1, 4, 2))),
        r"\(1, 4, 2\), 4 tokens .* 3 places. Make it with n_places=4",
    ),
    *(
        (
            lambda shape=shape: Positions(3, 2, np.random.default_rng(0))(
                np.ones(shape)
            ),
            r"expected \(…, N, 2\): tokens, features. Numbers of tokens go",
        )
        for shape in ((2,), (1, 3), (1, 3, 1), (1, 3, 5))
    ),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[row[1] for row in BAD])
def test_bad_input_says_what_was_expected_and_found(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_masks_and_tokens_of_another_kind_are_named():
    for mask in (np.tri(2, 4), np.tri(2, 4, dtype=int)):
        with pytest.raises(TypeError, match=f"mask of booleans.*found {mask.dtype}"):
            attend(mask=mask)
    with pytest.raises(TypeError, match="attention: k is a list; expected a NumPy"):
        attend(k=k43.tolist())
    with pytest.raises(TypeError, match="whole numbers, found float64"):
        Embedding(5, 2, np.random.default_rng(0))([0.0, 1.0])
