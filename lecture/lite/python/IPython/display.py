"""Rich output for the page: bundles of the forms in which a thing can be shown."""

from __future__ import annotations

import base64
import io
import sys
from uuid import uuid4

FORMS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "application/json": "_repr_json_",
}


def bundle(thing) -> tuple[dict, dict]:
    """Give `(data, metadata)`: every form that a thing has, plain text always."""
    data, metadata = {"text/plain": _plain(thing)}, {}
    if isinstance(thing, type):
        return data, metadata
    if (make := getattr(thing, "_repr_mimebundle_", None)) is not None:
        made = make()
        made, about = made if isinstance(made, tuple) else (made, {})
        return {**data, **made}, about
    for form, method in FORMS.items():
        make = getattr(thing, method, None)
        made = make() if callable(make) else None
        if isinstance(made, tuple):
            made, metadata[form] = made
        if made is not None:
            data[form] = _text(made)
    if _is_figure(thing):
        data["image/png"] = _text(_png(thing))
    return data, metadata


def _plain(thing) -> str:
    from pprint import pformat

    if type(thing).__repr__ in (
        dict.__repr__,
        list.__repr__,
        tuple.__repr__,
        set.__repr__,
    ):
        return pformat(thing, width=79, compact=False, sort_dicts=False)
    return repr(thing)


def _text(made):
    return base64.b64encode(made).decode() if isinstance(made, bytes) else made


def _is_figure(thing) -> bool:
    figure = sys.modules.get("matplotlib.figure")
    return figure is not None and isinstance(thing, figure.Figure)


def _png(figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", bbox_inches="tight")
    return out.getvalue()


class DisplayHandle:
    """A place on the page that can be shown anew."""

    def __init__(self, display_id: str | None = None) -> None:
        self.display_id = display_id or uuid4().hex

    def display(self, thing, **how) -> None:
        """Show a thing at a new place of this name."""
        display(thing, display_id=self.display_id, **how)

    def update(self, thing, **how) -> None:
        """Show a thing where the last one of this name stands."""
        update_display(thing, display_id=self.display_id, **how)


def display(*things, metadata=None, raw=False, display_id=None, update=False, **_):
    """Show things on the page; with `raw` they are bundles already."""
    import kernel

    kernel.flush()
    handle = (
        DisplayHandle(None if display_id is True else display_id)
        if display_id
        else None
    )
    for thing in things:
        data, about = (thing, {}) if raw else bundle(thing)
        data = {form: _text(made) for form, made in data.items()}
        kernel.say(
            "update_display_data" if update else "display_data",
            data=data,
            metadata={**about, **(metadata or {})},
            transient={"display_id": handle.display_id} if handle else {},
        )
    return handle


def update_display(thing, *, display_id, **how) -> None:
    """Show a thing where the last one of this name stands."""
    display(thing, display_id=display_id, update=True, **how)


def clear_output(wait: bool = False) -> None:
    """Take away what the cell has shown; with `wait`, when the next comes."""
    import kernel

    kernel.flush()
    kernel.say("clear_output", wait=bool(wait))


class DisplayObject:
    """Something that is shown in one form."""

    form = "text/plain"

    def __init__(self, data="", url=None, filename=None, metadata=None, **_) -> None:
        if filename is not None:
            how = "rb" if self.form == "image/png" else "r"
            with open(filename, how) as file:
                data = file.read()
        self.data, self.metadata = data, metadata or {}

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {self.form: _text(self.data)}, self.metadata

    def __repr__(self) -> str:
        return f"<IPython.core.display.{type(self).__name__} object>"


class HTML(DisplayObject):
    """HTML."""

    form = "text/html"


class Markdown(DisplayObject):
    """Markdown."""

    form = "text/markdown"


class Latex(DisplayObject):
    """LaTeX."""

    form = "text/latex"


class Math(Latex):
    """A formula that stands alone."""

    def __init__(self, data="", **how) -> None:
        super().__init__(f"$\\displaystyle {data.strip('$')}$", **how)


class SVG(DisplayObject):
    """A drawing."""

    form = "image/svg+xml"


class Image(DisplayObject):
    """A picture, PNG."""

    form = "image/png"
