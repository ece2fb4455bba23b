"""The way to the page: a picture goes with its words, and nothing without them."""

from __future__ import annotations

import base64
import html
import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from course_utils.viz.house import DPI, house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHORTEST_ALT = 20  # characters


def show(fig: Figure, alt: str) -> None:
    """Put a figure on the page as one PNG image that carries `alt`, and close it.

    The picture is stored twice: as PNG, and as an HTML image, which alone brings its
    alt text to the reader's screen. The words also stand as plain text: a terminal
    prints them, and a test of the notebook compares them.

    Raises
    ------
    ValueError : if `alt` is shorter than a sentence.
    TypeError : if `fig` is no figure.

    Plumbing.
    """
    if not hasattr(fig, "savefig"):
        raise TypeError(
            f"show: expected a figure, found {type(fig).__name__}. "
            "Write viz.show(fig, alt=…) with what a drawing function returned."
        )
    if not isinstance(alt, str) or len(alt.strip()) < _SHORTEST_ALT:
        raise ValueError(
            "show: alt must be a sentence that says what the picture shows "
            f"({_SHORTEST_ALT} characters or more), found {alt!r}."
        )
    if in_ipython():
        display_png(png_of(fig), alt)
    else:
        print(alt)
    _close(fig)


def in_ipython() -> bool:
    """Whether there is a page to put a picture on. Plumbing."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return get_ipython() is not None


def display_png(png: bytes, alt: str, markup: str | None = None) -> None:
    """Put a picture on the page with its words, as PNG and as HTML. Plumbing."""
    from IPython.display import display

    code = base64.b64encode(png).decode()
    # JupyterLab and nbconvert read no alt text out of an output's metadata. They prefer
    # HTML to PNG, and an <img> with its alt text survives in untrusted notebooks too.
    img = f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{code}">'
    data = {"image/png": code, "text/html": markup or img, "text/plain": alt}
    display(data, metadata={"image/png": {"alt": alt}}, raw=True)


def _close(fig: Figure) -> None:
    # Only pyplot keeps figures; ours are not its own, a notebook's may be.
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)


def png_of(fig: Figure, dpi: int = DPI, palette: Sequence[str] = ()) -> bytes:
    """PNG bytes without date and version, in few colours: a third of the size.

    A `palette` names all colours of a drawing; else the colours are found. Plumbing.
    """
    from PIL import Image

    raw, small = io.BytesIO(), io.BytesIO()
    with house_style():
        fig.savefig(raw, format="png", dpi=dpi, metadata={"Software": None})
    picture = Image.open(raw).convert("RGB")
    shaded = any(ax.images or ax.collections for ax in fig.axes)
    given = Image.new("P", (1, 1)) if palette else None
    if given:
        given.putpalette(bytes.fromhex("".join(palette).replace("#", "")))
    colors = 256 if shaded else 64
    picture = picture.quantize(colors, palette=given, dither=Image.Dither.NONE)
    picture.save(small, format="png", optimize=True)
    return small.getvalue()
