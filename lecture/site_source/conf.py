"""How Sphinx makes the site: from stored outputs, with nothing fetched when shown."""

import re

project = "Backpropagation from Scratch"
author = "the authors of the course"
html_title = project
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
]
nb_execution_mode = "off"  # `make notebooks` runs them; the site shows what is stored
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]

default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
add_module_names = False
napoleon_google_docstring = False

html_theme = "sphinx_book_theme"
html_theme_options = {
    "use_download_button": True,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "home_page_in_toc": True,
    "navbar_persistent": [],
}
html_context = {"default_mode": "auto"}
html_static_path = ["_static"]
html_favicon = "_static/icon.svg"  # else browsers ask the host for one
html_css_files = ["course.css"]
html_js_files = ["ways.js"]
html_copy_source = True
html_sourcelink_suffix = ""
mathjax_path = "mathjax/tex-svg.js"

EMPHASIS_OR_SIGN = re.compile(r"(?<!\w)\*\w[^*|]*\*(?!\w)|[|*]")
TAUGHT = re.compile(r"(Taught in: )(\d\d_\w+)")


def as_plain_text(line):
    """Keep |x| and *args from being markup; `code` and *a word* stay what they are."""
    parts = line.split("`")
    parts[::2] = [EMPHASIS_OR_SIGN.sub(escaped, part) for part in parts[::2]]
    return "`".join(parts)


def escaped(found):
    """Put a backslash before a lonely sign."""
    return found[0] if len(found[0]) > 1 else "\\" + found[0]


def prepare(app, what, name, obj, options, lines):
    """Make `Taught in: 05_vectorized_backprop` a link; the rest is plain text."""
    lines[:] = [as_plain_text(line) for line in lines]
    lines[:] = [TAUGHT.sub(r"\1:doc:`/notebooks/\2`", line) for line in lines]


def setup(app):
    """Call it for every docstring."""
    app.connect("autodoc-process-docstring", prepare, priority=1)
