"""Pictures of a price: how it is found, what a box does with it, where it vanishes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from course_utils.viz.house import COLORS, GREY, axes
from course_utils.viz.naming import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLACK_DOT = {"color": COLORS.black, "linestyle": "none", "zorder": 4}


def draw_secants(
    f: Callable, x: float, steps: Sequence[float], price: float, title: str
) -> Figure:
    """Draw f, lines from x to x + step for each step, and the line of slope `price`.

    The longest step comes first: it sets how far the picture reaches. `f` takes arrays.

    Plumbing.
    """
    far = steps[0]
    fig, ax = axes(title, "what we hold", "bill", size=(7.5, 4.4))
    held = np.linspace(x - 0.8 * far, x + 1.07 * far, 100)
    ax.plot(held, f(held), color=COLORS.black, linestyle="-", linewidth=2.6)
    ax.set_xlim(x - 0.85 * far, x + 1.6 * far)
    for step, look in zip([*steps, 0.0], [":", "-.", "--", "-"], strict=False):
        slope = (f(x + step) - f(x)) / step if step else price
        ax.plot(held, f(x) + slope * (held - x), linestyle=look)
        ax.plot(x + step, f(x + step), marker="o", **_BLACK_DOT)
        words = f"buy {step:g}: {slope:g}" if step else f"the price: {slope:g}"
        ax.text(held[-1] + 0.1, f(x) + slope * (held[-1] - x), words, va="center")
    return fig


def draw_magnified(
    f: Callable, x: float, price: float, widths: Sequence[float], title: str
) -> Figure:
    """Draw f and its tangent at x in ever smaller windows: x ± each of `widths`.

    Plumbing.
    """
    size = (8.6, 3.3)
    fig, panels = axes(title, "what we hold", "", cols=len(widths), size=size)
    for ax, width in zip(np.ravel(panels), widths, strict=True):
        held = np.linspace(x - width, x + width, 100)
        ax.plot(held, f(held), color=COLORS.black, linestyle="-", linewidth=2.6)
        ax.plot(held, f(x) + price * (held - x), color=COLORS.vermillion, linestyle="-")
        ax.plot(x, f(x), marker="o", **_BLACK_DOT)
        ax.set_title(f"{x:g} ± {width:g}", fontsize=10)
        ax.locator_params(nbins=4)
        ax.ticklabel_format(useOffset=False)
    np.ravel(panels)[0].set_ylabel("bill")
    return fig


def draw_square(side: float, more: float, title: str) -> Figure:
    """Draw a square that grows: two strips, one for each side, and a corner.

    Plumbing.
    """
    fig, ax = axes(title, size=(4.6, 4.4))
    whole = f"{side:g} · {side:g} = {side * side:g}"
    for left, low, width, height, color, words in [
        (0, 0, side, side, "white", whole),
        (side, 0, more, side, COLORS.sky_blue, f"{side:g}s"),
        (0, side, side, more, COLORS.orange, f"{side:g}s"),
        (side, side, more, more, "white", "s · s"),
    ]:
        ax.bar(left, height, width, low, align="edge", color=color, edgecolor="black")
        ax.text(left + width / 2, low + height / 2, words, ha="center", va="center")
    room = (-0.05, side + more + 0.1)
    ax.set(aspect="equal", xlim=room, ylim=room)
    ax.set_axis_off()
    return fig


# --- what a box does with a price -----------------------------------------------------


def draw_rules(a: float, b: float, price: float, title: str) -> Figure:
    """Draw how a sum, a product, a maximum and a fork send a price back.

    The boxes take a and b; `price` comes back to each. The fork takes a, and `price`
    and b come back to it. Values are black, prices blue.

    Plumbing.
    """
    fig, panels = axes(title, cols=4, size=(8.8, 2.3))
    to_a, to_b = (price, 0.0) if a > b else (0.0, price)
    _box(panels[0], "+", "sum: hands on", (a, b), a + b, (price, price), price)
    back = (price * b, price * a)
    _box(panels[1], "×", "product: swaps", (a, b), a * b, back, price)
    _box(panels[2], "max", "maximum: picks", (a, b), max(a, b), (to_a, to_b), price)
    _fork(panels[3], "fork: adds", a, (price, b))
    return fig


_OUTER, _INNER, _ROW = 1.6, 0.4, 0.55  # where wires begin and end, and their height


def _box(
    ax: Axes,
    sign: str,
    words: str,
    given: tuple[float, float],
    value: float,
    back: tuple[float, float],
    price: float,
) -> None:
    from matplotlib.patches import FancyBboxPatch

    _blank(ax, words)
    for y, x_in, x_back in zip((_ROW, -_ROW), given, back, strict=True):
        _wire(ax, -_OUTER, -_INNER, y, x_in, x_back)
    _wire(ax, _INNER, _OUTER, 0.0, value, price)
    look = {"boxstyle": "round,pad=0,rounding_size=0.1", "facecolor": "white"}
    corner, size = (-_INNER, -_ROW - 0.3), (2 * _INNER, 2 * _ROW + 0.6)
    ax.add_patch(FancyBboxPatch(corner, *size, edgecolor="#333333", **look))
    ax.text(0, 0, sign, ha="center", va="center", weight="bold")


def _fork(ax: Axes, words: str, value: float, back: tuple[float, float]) -> None:
    _blank(ax, words)
    _wire(ax, -_OUTER, 0.0, 0.0, value, sum(back))
    ax.plot([0, 0], [-_ROW, _ROW], color=GREY, linestyle="-", linewidth=1.2)
    for y, part in zip((_ROW, -_ROW), back, strict=True):
        _wire(ax, 0.0, _OUTER, y, value, part)


def _blank(ax: Axes, words: str) -> None:
    ax.set_title(words, loc="center", fontsize=10)
    ax.set(xlim=(-1.7, 1.7), ylim=(-1.15, 1.15))
    ax.set_axis_off()


def _wire(
    ax: Axes, start: float, end: float, y: float, value: float, price: float
) -> None:
    """Draw an arrow to the right, the value above it and the price below."""
    look = {"arrowstyle": "-|>", "color": GREY, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (end, y), (start, y), arrowprops=look)
    place = {"ha": "center", "fontsize": 9}
    middle = (start + end) / 2
    ax.text(middle, y + 0.07, number(value, 4), va="bottom", **place)
    back = f"∂ {number(price, 4)}"
    ax.text(middle, y - 0.07, back, va="top", color=COLORS.blue, **place)


# --- where it vanishes ----------------------------------------------------------------


def draw_squeeze(units: Mapping[str, float], titles: Sequence[str]) -> Figure:
    """Draw σ and, on a logarithmic axis, its slope, with each unit at its input.

    Plumbing.
    """
    fig, (left, right) = axes(xlabel="input of the unit", cols=2, size=(8.6, 3.6))
    z = np.linspace(-20, 20, 401)
    left.plot(z, _sigma(z))
    right.semilogy(z, _slope(z))
    left.set(ylabel="σ (output)")
    right.set(ylabel="σ′ (slope, logarithmic)")
    for ax, title, f in ((left, titles[0], _sigma), (right, titles[1], _slope)):
        ax.set_title(title, loc="left", weight="bold", size=11)
        for (name, at), marker in zip(units.items(), "os^D", strict=False):
            ax.plot(at, f(at), marker, color=COLORS.vermillion, markersize=8)
            shift = (-22, -16) if at > 0 else (-24, 4)  # clear of the curve
            ax.annotate(name, (at, f(at)), shift, textcoords="offset points")
    return fig


def _sigma(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def _slope(z: Any) -> Any:
    return _sigma(z) * _sigma(-z)
