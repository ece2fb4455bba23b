"""Right answers to the exercises of 00 in other styles."""

from . import right


@right("00.2")
def slopes_multiplied_out(w):
    return (4 * w**3 - 4 * w) / w.size


@right("00.2")
def slopes_in_a_list(w):
    return [4 * number * (number**2 - 1) / len(w) for number in w]
