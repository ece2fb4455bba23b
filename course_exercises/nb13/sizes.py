"""13.2 · Predict: what comes out."""

from course_exercises.judge import Exercise
from course_utils import functional as F

from .shared import POOLING, READER, VIEW

ex = Exercise(
    "13.2",
    "Predict: what comes out",
    outputs=("first rows", "second rows", "features", "parameters"),
    hints=(
        "Only one formula is needed, $(n + 2p - k) // s + 1$, once for each layer; "
        "pooling halves.",
        "After the first convolution there are 32 rows again, since the padding makes "
        "up for the filter. The pooling leaves 16.",
        "`Flatten` leaves channels times rows times columns. A filter has a weight "
        "for each channel that comes *in* and each pixel of its window, and each "
        "filter has one bias.",
    ),
    explanation=(
        "32 + 4 − 5 + 1 = 32; the pooling makes 16 of it; (16 − 3) // 2 + 1 = 7. "
        "16 · 7 · 7 = 784 features, as many as MNIST has pixels. Parameters: "
        "8 · 3 · 25 + 8 = 608 and 16 · 8 · 9 + 16 = 1168. The size of the pictures is "
        "not in them."
    ),
)


@ex.answer
def sizes():
    first = F.out_size(32, 5, padding=2)
    second = F.out_size(first // 2, 3, stride=2)
    parameters = 8 * (3 * 5 * 5 + 1) + 16 * (8 * 3 * 3 + 1)
    return first, second, 16 * second * second, parameters


FIRST, SECOND, FEATURES, PARAMETERS = ex.outputs

ex.guess("padding-forgotten", {FIRST: 28}, VIEW).says("""
    That is without padding. Two zeros at each end make the side 36 before the filter
    comes.
""")
ex.guess("padding-once", {FIRST: 30}, VIEW).says("""
    The padding counts once. It is added at both ends, so twice.
""")
ex.guess("last-window-missing", {FIRST: 31}, VIEW).says("""
    The last window is missing: if the first may begin at 0 and the last at 31, they are
    32.
""")
ex.guess("stride-forgotten", {SECOND: 14}, VIEW).says("""
    The stride of the second convolution is forgotten: only every second window is
    taken.
""")
ex.guess("rounded-up", {SECOND: 8}, VIEW).says("""
    A window that does not fit wholly is left out: from 16 pixels, windows of 3 begin at
    0, 2, …, 12, and the next would need pixel 16.
""")
ex.guess("pooling-forgotten", {SECOND: 15}, POOLING).says("""
    The pooling is forgotten. It halves the rows before the second convolution sees
    them.
""")
ex.guess("one-channel", {FEATURES: 49}, READER).says("""
    That is one feature map. There are as many as the last convolution has filters.
""")
ex.guess("channels-in", {FEATURES: 392}, READER).says("""
    Eight channels go *into* the second convolution; what comes out are as many as it
    has filters.
""")
ex.guess("one-side", {FEATURES: 112}, READER).says("""
    A feature map has rows *and* columns.
""")
ex.guess("whole-batch", {FEATURES: 78_400}, READER).says("""
    `Flatten` keeps the first axis: the features are those of one picture.
""")
ex.guess("biases-forgotten", {PARAMETERS: 1752}, READER).says("""
    The biases are missing: one for each filter.
""")
ex.guess("channels-forgotten", {PARAMETERS: 368}, READER).says("""
    A filter has weights of its own for each channel that comes in, not one window for
    all.
""")
ex.guess("first-alone", {PARAMETERS: 608}, READER).says("""
    These are the parameters of the first convolution. The second has some, too.
""")
ex.guess("second-alone", {PARAMETERS: 1168}, READER).says("""
    These are the parameters of the second convolution. The first has some, too.
""")
ex.guess("behind-the-pooling", {FIRST: 16}, POOLING).says("""
    That is behind the pooling. Asked for are the rows before it.
""")
