"""A module says what is wrong when it is made, not in the middle of a training."""

import numpy as np
import pytest

from course_utils import nn
from course_utils.attention import (
    Embedding,
    MultiHeadAttention,
    Positions,
    TransformerBlock,
    causal_mask,
)

RNG = np.random.default_rng(0)
VALUES = [
    (lambda: nn.Conv2d(0, 2, 3, RNG), "Conv2d: in_channels is 0; .* at least 1"),
    (lambda: nn.Conv2d(1, 2.0, 3, RNG), "out_channels is 2.0; .* a whole number"),
    (lambda: nn.Conv2d(1, 2, 0, RNG), r"two whole sizes, .* found \(0, 0\)"),
    (lambda: nn.Conv2d(1, 2, (3, 3, 3), RNG), r"found \(3, 3, 3\)"),
    (lambda: nn.Conv2d(1, 2, 3.0, RNG), r"found \(3.0, 3.0\)"),
    (lambda: nn.Conv2d(1, 2, 3, RNG, stride=0), "stride is 0; .* at least 1"),
    (lambda: nn.Conv2d(1, 2, 3, RNG, padding=(1, 1)), r"padding is \(1, 1\); .* one"),
    (lambda: nn.Conv2d(1, 2, 3, RNG, padding="same"), "padding is 'same'"),
    (lambda: nn.MaxPool2d((2, 2)), r"one whole size, .* found \(2, 2\)"),
    (lambda: nn.MaxPool2d(2, 0), "stride is 0"),
    (lambda: nn.MeanPool2d(0), "one whole size, .* found 0"),
    (lambda: nn.Dropout(1, RNG), "p is 1; .* below 1"),
    (lambda: nn.Dropout(50, RNG), "p is 50; .* below 1"),
    (lambda: nn.BatchNorm(0), "BatchNorm: num_features is 0"),
    (lambda: nn.BatchNorm(3, eps=0), "eps is 0; it must be above 0"),
    (lambda: nn.BatchNorm(3, momentum=2), "momentum is 2; it must be in 0 … 1"),
    (lambda: MultiHeadAttention(8, 2.0, RNG), "n_heads is 2.0; .* a whole number"),
    (lambda: MultiHeadAttention(True, 1, RNG), "d_model is True"),
    (lambda: MultiHeadAttention(9, 2, RNG), "d_model is 9 and n_heads 2; .* divide"),
    (lambda: TransformerBlock(8, 0, RNG), "n_heads is 0; .* at least 1"),
    (lambda: Embedding(0, 2, RNG), "Embedding: n_tokens is 0"),
    (lambda: Positions(2.5, 2, RNG), "Positions: n_places is 2.5"),
]


@pytest.mark.parametrize(("make", "message"), VALUES, ids=[m for _, m in VALUES])
def test_what_makes_no_module_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


KINDS = [
    (lambda: nn.Conv2d(1, 2, 3, 2), "rng is 2; expected a generator.*stride=2"),
    (lambda: nn.Dropout(0.5, 0), "Dropout: rng is 0; expected a generator"),
    (lambda: MultiHeadAttention(8, 2, 0), "MultiHeadAttention: rng is 0"),
    (lambda: MultiHeadAttention(8, 2, RNG, causal_mask(3)), "causal is a ndarray"),
    (lambda: TransformerBlock(8, 2, RNG, causal="no"), "causal is a str; expected Tr"),
    (lambda: Embedding(4, 2, 7), "Embedding: rng is 7; expected a generator"),
    (lambda: Positions(4, 2, None), "Positions: rng is None"),
]


@pytest.mark.parametrize(("make", "message"), KINDS, ids=[m for _, m in KINDS])
def test_arguments_of_another_kind_are_named(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_numpys_whole_numbers_and_a_list_for_a_pair_will_do():
    three = np.int64(3)
    assert nn.Conv2d(three, 2, [2, three], RNG, np.int32(1)).W.shape == (2, 3, 2, 3)
    assert nn.MaxPool2d(three)(np.ones((1, 1, 3, 3))).shape == (1, 1, 1, 1)
    assert MultiHeadAttention(np.int64(8), three - 1, RNG)(np.ones((1, 3, 8))).ndim == 3
