"""Build the course as a static site, which asks nobody for anything when it is read.

    make site

The pages are the notebooks with their stored outputs, and a reference of `course_utils`
from its docstrings. Sphinx's warnings are errors, and every internal link is followed.
Where `make lite` has been before, the course that runs in a browser is taken in, and
each page leads to it.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from docutils.nodes import make_id

from tools.notebooks import COURSE, SUMMARY

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "build"
SOURCE, SITE = BUILD / "site-source", BUILD / "site"
LITE = BUILD / "lite"
MATHJAX = HERE / "node_modules" / "mathjax3" / "es5" / "tex-svg.js"
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"

PAGES = (*COURSE, SUMMARY)

# A link in the answer of a check, as it works beside the other notebooks.
LINK = re.compile(r'href="(\d\d_\w+)\.ipynb(#[^"]*)?"')
# A link in a text to a section of another notebook.
SECTION = re.compile(r"(?<=\.ipynb#)[^)\s]+(?=\))")

# What the first page shows of the course: the outputs of these cells, as stored.
SHOWN = {
    "map": ("00_start_here", "00-034"),
    "digits": ("00_start_here", "00-027"),
    "steps": ("01_chain_rule", "01-029"),
    "mistake": ("00_start_here", "00-043a"),
}

# The modules in the order in which the course builds them.
MODULES = (
    *(f"course_utils.{name}" for name in "functional tape scalar gradcheck".split()),
    *(f"course_utils.{name}" for name in "layers tensor nn optim training".split()),
    *(f"course_utils.{name}" for name in "data viz launch checkup".split()),
    "course_exercises",
)


def main() -> int:
    """Lay the sources out, let Sphinx make the pages, follow every link."""
    lay_out()
    if code := subprocess.run(sphinx(), cwd=ROOT).returncode:
        return code
    for stem in PAGES:  # what is downloaded is the notebook itself
        shutil.copy(NOTEBOOKS / f"{stem}.ipynb", SITE / "_sources" / "notebooks")
    if code := subprocess.run(links(), cwd=ROOT).returncode:
        return code
    if LITE.exists():
        shutil.copytree(LITE, SITE / "lite")
    else:
        print("Without build/lite (make lite) no page leads to a running notebook.")
    print(f"The site is in {SITE.relative_to(ROOT)}: open index.html.")
    return 0


def lay_out() -> None:
    """Put notebooks, pages about modules, and what they need into one folder."""
    for folder in (SOURCE, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / "site_source", SOURCE)
    (SOURCE / "notebooks").mkdir()
    for stem in PAGES:
        text = (NOTEBOOKS / f"{stem}.ipynb").read_text("utf-8")
        text = with_ways(linked(text), stem)
        (SOURCE / "notebooks" / f"{stem}.ipynb").write_text(text, "utf-8")
    shutil.copy(NOTEBOOKS / "data_parallel.py", SOURCE / "notebooks")
    (SOURCE / "_static" / "mathjax").mkdir()
    shutil.copy(MATHJAX, SOURCE / "_static" / "mathjax")
    write_index()
    (SOURCE / "api").mkdir()
    for module in MODULES:
        (SOURCE / "api" / f"{module}.rst").write_text(page(module), "utf-8")


def linked(text: str) -> str:
    """Let links in outputs lead to the pages, and those in texts to their sections.

    Sphinx makes the pages, and calls their sections otherwise than JupyterLab does.
    """
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            source = "".join(cell["source"])
            cell["source"] = SECTION.sub(lambda found: make_id(found[0]), source)
        for output in cell.get("outputs", ()):
            page = output.get("data", {}).get("text/html")
            if page is not None:
                output["data"]["text/html"] = LINK.sub(as_page, "".join(page))
    return json.dumps(notebook, ensure_ascii=False)


def with_ways(text: str, stem: str) -> str:
    """Put below a page's title what its reader may do with it: run it, download it."""
    notebook = json.loads(text)
    first = notebook["cells"][0]
    title, _, rest = "".join(first["source"]).partition("\n\n")
    run = way(f"../{runs(stem)}", "Run in your browser") if LITE.exists() else ""
    notebook_file = f"../_sources/notebooks/{stem}.ipynb"
    ways = [run, f'<a class="way" href="{notebook_file}" download>Download</a>']
    line = f'<p class="ways">{" ".join(filter(None, ways))}</p>'
    first["source"] = "\n\n".join([title, line, rest])
    return json.dumps(notebook, ensure_ascii=False)


def runs(stem: str) -> str:
    """The address of a running notebook, from the first page of the site."""
    return f"lite/notebooks/index.html?path={stem}.ipynb"


def way(address: str, words: str) -> str:
    """A link to what needs a server: `ways.js` says so where there is none."""
    return f'<a class="way runs" href="{address}">{words}</a>'


def stored(stem: str, cell_id: str) -> str:
    """The HTML that a cell has left in the notebook, with links of the first page."""
    notebook = json.loads((NOTEBOOKS / f"{stem}.ipynb").read_text("utf-8"))
    cell = next(cell for cell in notebook["cells"] if cell["id"] == cell_id)
    pages = (x["data"] for x in cell["outputs"] if "text/html" in x.get("data", ()))
    html = "".join(next(pages)["text/html"])
    html = LINK.sub(lambda link: as_page(link).replace('"', '"notebooks/', 1), html)
    return f'````{{raw}} html\n<div class="shown">{html}</div>\n````'


def as_page(link: re.Match) -> str:
    """The link to a section of a notebook as one to its page."""
    section = f"#{make_id(link[2])}" if link[2] else ""
    return f'href="{link[1]}.html{section}"'


def write_index() -> None:
    """Fill the tables of contents."""
    index = SOURCE / "index.md"
    text = index.read_text("utf-8")
    notebooks = "\n".join(f"notebooks/{name}" for name in PAGES)
    modules = "\n".join(f"api/{name}" for name in MODULES)
    text = text.replace("{notebooks}", notebooks).replace("{modules}", modules)
    begin = way(runs(COURSE[0]), "Begin in your browser: nothing to install")
    text = text.replace("{begin}", begin if LITE.exists() else "")
    for name, place in SHOWN.items():
        text = text.replace(f"{{{name}}}", stored(*place))
    index.write_text(text, "utf-8")


def page(module: str) -> str:
    """The page about one module: all that is public, with its docstring."""
    title = module.removeprefix("course_utils.")
    head = f"{title}\n{'=' * len(title)}"
    return "\n".join([head, "", described(module, ""), *inside(module)])


def described(name: str, members: str) -> str:
    """Let Sphinx describe a module, and of its members those named, or all."""
    return f".. automodule:: {name}\n   :members: {members}\n   :undoc-members:\n"


def inside(name: str) -> list[str]:
    """Describe what a folder's front door brings in, in its order, file by file.

    A front door that has functions of its own, as `check` is one, is all there is.
    """
    source = Path(ROOT, *name.split("."), "__init__.py")
    body = ast.parse(source.read_text("utf-8")).body if source.exists() else []
    if any(isinstance(node, ast.FunctionDef) for node in body):
        return []
    brought = [node for node in body if isinstance(node, ast.ImportFrom)]
    return [described(x.module, ", ".join(y.name for y in x.names)) for x in brought]


def sphinx() -> list[str]:
    """The command that makes the pages; a warning is an error."""
    options = ["-b", "html", "-q", "-W", "--keep-going", "-d", str(BUILD / "doctrees")]
    return [sys.executable, "-m", "sphinx", *options, str(SOURCE), str(SITE)]


def links() -> list[str]:
    """The command that follows every link inside the site."""
    script = Path(sys.executable).with_name("linkchecker")
    return [
        *(str(script), "--no-status", "--no-warnings"),
        "--ignore-url=/lite/notebooks/",  # JupyterLite's own pages; a test opens them
        str(SITE / "index.html"),
    ]


if __name__ == "__main__":
    sys.exit(main())
