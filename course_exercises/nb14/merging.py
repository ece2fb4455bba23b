"""14.3 · Heads, cut the wrong way."""

from functools import partial

from course_exercises.judge import Exercise

HEADS = "14_attention#Heads: several questions at once"

ex = Exercise(
    "14.3",
    "Heads, cut the wrong way",
    hints=(
        "`reshape` keeps the order in which the numbers lie in memory: head by head, "
        "in each token by token. In which order should they lie?",
        "First the axes have to be put into the order example, token, head, feature.",
        "`x.transpose(0, 2, 1, 3)`, and then one `reshape` that joins the last two "
        "axes.",
    ),
    explanation=(
        "In the example token 0 gets (0, 1): what head 0 says of token 0 and of token "
        "1; it should get (0, 2). `reshape` moves nothing, it only counts anew. The "
        "axes to be joined must be neighbours and in order, so `transpose(0, 2, 1, 3)` "
        "comes first. No error tells: the shape is right for any numbers of heads and "
        "tokens."
    ),
)


@ex.answer
def merge_heads(x):
    B, H, N, d = x.shape
    return x.transpose(0, 2, 1, 3).reshape(B, N, H * d)


@ex.given
def heads_of_rows(rng):
    sizes = (2, 3, 4, 5), (1, 2, 2, 3), (3, 4, 2, 1), (2, 2, 5, 2), (3, 3, 3, 3)
    return [(rng.normal(size=size),) for size in sizes]


slip = partial(ex.slip, where=HEADS)

slip("no-transpose", {".transpose(0, 2, 1, 3)": ""}).says("""
    This is the `reshape` alone that was shown: a token gets one head's numbers of
    several tokens. The axes must be put in order first.
""")
slip("features-first", {"transpose(0, 2, 1, 3)": "transpose(0, 2, 3, 1)"}).says("""
    The features of the heads are mixed like the teeth of a zip: first the first feature
    of each head. Asked for are first all of head 0.
""")
slip("heads-last", {"transpose(0, 2, 1, 3)": "transpose(0, 3, 1, 2)"}).says("""
    The axis of the tokens stands last here, and is joined with the heads. A token's
    features belong together.
""")
slip("turned-round", {"transpose(0, 2, 1, 3)": "transpose(0, 3, 2, 1)"}).says("""
    The three axes are turned round. Only heads and tokens change places; the features
    stay last.
""")
slip("tokens-kept", {"transpose(0, 2, 1, 3)": "transpose(0, 1, 3, 2)"}).says("""
    Tokens and features change places here. It is heads and tokens that have to.
""")
slip("heads-backwards", {"x.transpose": "x[:, ::-1].transpose"}).says("""
    The heads stand in reverse: head 0 comes first.
""")
slip("back-again", {"(0, 2, 1, 3)": "(1, 2, 0, 3)"}).says("""
    Examples and heads are exchanged. Every example keeps its place.
""")


@ex.wrong(HEADS)
def mean_of_heads(x):
    """The heads are averaged. They stand side by side, so that none of what they say is
    lost; the last linear layer mixes them.
    """
    B, H, N, d = x.shape
    return x.mean(axis=1).repeat(H, axis=-1).reshape(B, N, H * d)


@ex.wrong(HEADS)
def not_joined(x):
    """The axes are in order, and the last two are not joined yet: a `reshape` is
    missing.
    """
    return x.transpose(0, 2, 1, 3)


@ex.wrong(HEADS)
def split_once_more(x):
    """That is the way there: heads are cut out of rows. Asked for is the way back."""
    B, H, N, d = x.shape
    return x.reshape(B, H, d, N).transpose(0, 2, 1, 3)


@ex.wrong(HEADS)
def added(x):
    """The heads are added up. They stand side by side; the last linear layer mixes
    them.
    """
    return x.sum(axis=1)


slip("tokens-first", {"(0, 2, 1, 3)": "(2, 0, 1, 3)"}).says("""
    The axis of the tokens stands first, and the `reshape` takes it for the examples.
    Every example keeps its place.
""")


@ex.wrong(HEADS)
def tokens_joined_with_heads(x):
    """The axes are in order, but the two in the middle are joined, tokens and heads.
    Asked for is one row a token: heads and features, the last two, are to be joined.
    """
    B, H, N, d = x.shape
    return x.transpose(0, 2, 1, 3).reshape(B, N * H, d)


@ex.wrong(HEADS)
def one_after_the_other(x):
    """The heads stand one after the other along the tokens. Each token gets one row, in
    which they stand side by side: that is the last axis.
    """
    B, H, N, d = x.shape
    return x.reshape(B, H * N, d)
