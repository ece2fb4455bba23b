"""Make the instructor's notebooks, with every solution, and a hand-out to print.

    make instructor          # all notebooks; one: NB=06

`build/instructor` then holds a copy of each notebook in which the stubs are solved and
every check has said so; below each exercise stand its explanation, the hints, and the
mistakes that its check knows by name. `build/handout.html` holds all exercises without
solutions, a sheet for each notebook, and every rule of the course on two sheets, which
`build/summary.html` holds alone. With a Chromium there are PDFs of both, too.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from traitlets.config import Config

from course_exercises.general import SENTENCES
from course_exercises.judge import Exercise
from course_exercises.library import exercises
from course_exercises.record import FILE
from tools import browser, store_outputs
from tools.exercise_cells import Asked, asked, solved
from tools.notebooks import COURSE, FOLDER, SUMMARY, chosen, read

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
INSTRUCTOR, HANDOUT = BUILD / "instructor", BUILD / "handout.html"
ALL_RULES = BUILD / "summary.html"
MATHJAX = ROOT / "lecture" / "node_modules" / "mathjax3" / "es5" / "tex-svg.js"
DOLLARS = """<script>MathJax = {tex: {inlineMath: [["$", "$"]],
  displayMath: [["$$", "$$"]], processEscapes: true}};</script>"""
PRINT = """<style>
@media print { @page { size: A4; margin: 6mm 9mm; }
  body, main, .jp-Notebook { padding: 0 !important; margin: 0; }
  .jp-Cell:has(h2):not(:first-child) { break-before: page; }
  h3, pre { break-inside: avoid; } }
.jp-InputPrompt, .jp-OutputPrompt { display: none; }
</style>"""
# The cells of the summary: every rule on two sheets.
SMALL = """<style>
[id^="cell-id=summary-"] { padding: 0 !important; }
[id^="cell-id=summary-"].jp-MarkdownCell { break-after: avoid; }
[id^="cell-id=summary-"] * { font-size: 6.4pt !important; line-height: 1.1 !important; }
[id^="cell-id=summary-"] :is(p, ul, table) { margin: 1pt 0 !important; }
[id^="cell-id=summary-"] h2 { font-size: 13pt !important; margin: 0 !important; }
[id^="cell-id=summary-"] h3 { font-size: 9.5pt !important; margin: 4pt 0 0 !important; }
[id^="cell-id=summary-"] code { background: none !important; padding: 0 !important; }
.rules code { letter-spacing: -0.03em; }
.rules :is(th, td) { padding: 0.2pt 5pt 0.2pt 0 !important; }
.rules tr { break-inside: avoid; }
</style>"""


def main(prefix: str = "") -> int:
    """Solve, run and write the notebooks that begin with `prefix`, and the hand-out."""
    INSTRUCTOR.mkdir(parents=True, exist_ok=True)
    paths = chosen(prefix)
    if not paths:
        print(f"No notebook fits {prefix}*.ipynb", file=sys.stderr)
        return 1
    for path in paths:
        print(with_solutions(path), flush=True)
    HANDOUT.write_text(handout([FOLDER / f"{stem}.ipynb" for stem in COURSE]), "utf-8")
    ALL_RULES.write_text(printed(summary_cells()), "utf-8")
    for what, page in (("exercises, to print", HANDOUT), ("rules", ALL_RULES)):
        print(f"All {what}: {page.relative_to(ROOT)}")
        print(as_pdf(page))
    return 0


def by_number(path: Path) -> dict[str, Exercise]:
    """The exercises of a notebook."""
    return {exercise.number: exercise for exercise in exercises(path.stem[:2])}


# --- the instructor's notebooks -------------------------------------------------------


def with_solutions(path: Path) -> str:
    """Write the solved copy of one notebook; give a line that reports.

    Raises SystemExit where a check does not say passed.
    """
    notebook, known = store_outputs.read(path), by_number(path)
    for one in reversed(asked(read(path))):
        solve(notebook.cells, one, known[one.number])
    with tempfile.TemporaryDirectory() as folder:
        fresh = {"ignore": shutil.ignore_patterns(".*", FILE), "symlinks": True}
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True, **fresh)
        store_outputs.run(notebook, Path(folder))
    refuse_failures(notebook, path.stem)
    store_outputs.clean(notebook)
    nbformat.write(notebook, INSTRUCTOR / path.name)
    shutil.copy(FOLDER / "data_parallel.py", INSTRUCTOR)
    return f"{path.stem}: {len(known)} exercises solved"


def solve(cells: list, one: Asked, exercise: Exercise) -> None:
    """Fill in the stub, and say below the check what an instructor wants to know."""
    ids = [cell.id for cell in cells]
    cells[ids.index(one.stub.cell_id)].source = solved(exercise, one.name)
    note = nbformat.v4.new_markdown_cell(notes(exercise))
    note.id = f"{one.check.cell_id}-notes"
    cells.insert(ids.index(one.check.cell_id) + 1, note)


def notes(exercise: Exercise) -> str:
    """Explanation, hints, and the mistakes with a name, as markdown."""
    hints = "\n".join(f"{k}. {text}" for k, text in enumerate(exercise.hints, 1))
    says = {m.id: m.sentence or SENTENCES[m.id][0] for m in exercise.mistakes}
    mistakes = "\n".join(f"- *{name}*: {text}" for name, text in says.items())
    return (
        f"**Why.** {exercise.explanation}\n\n**Hints given on demand**\n\n{hints}\n\n"
        f"**Mistakes that the check names**\n\n{mistakes}"
    )


def refuse_failures(notebook: nbformat.NotebookNode, name: str) -> None:
    """End with the answer of the first check that did not pass."""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if any(tag.startswith("exercise-") for tag in tags) and "stub" not in tags:
            said = cell.outputs[-1]["data"]["text/plain"] if cell.outputs else "nothing"
            if not said.startswith("✓"):
                raise SystemExit(f"{name}: a solution does not pass its check:\n{said}")


# --- the hand-out ---------------------------------------------------------------------


def handout(paths: list[Path]) -> str:
    """All exercises as one page: titles, tasks, stubs; then every rule."""
    exercises = [cell for path in paths for cell in sheet_cells(path)]
    return printed(exercises + summary_cells())


def printed(cells: list) -> str:
    """Cells as one HTML page that needs nothing else."""
    sheet = nbformat.v4.new_notebook(cells=cells)
    settings = Config()
    settings.TagRemovePreprocessor.enabled = True
    settings.TagRemovePreprocessor.remove_input_tags = {"hide-input"}
    urls = {"mathjax_url": "", "require_js_url": "", "jquery_url": ""}
    exporter = HTMLExporter(config=settings, **urls)
    exporter.exclude_output_prompt = exporter.exclude_input_prompt = True
    page, _ = exporter.from_notebook_node(sheet)
    formulas = f"{DOLLARS}<script>{MATHJAX.read_text('utf-8')}</script>"
    return page.replace("</head>", f"{PRINT}{SMALL}{formulas}</head>", 1)


def as_pdf(page: Path) -> str:
    """Print a page as PDF beside itself; give a line that reports."""
    if browser.find() is None:
        return f"No PDF of it: {browser.MEND}"
    pdf = page.with_suffix(".pdf")
    with browser.opened() as chromium:
        sheet = chromium.new_page()
        sheet.goto(page.as_uri())
        sheet.wait_for_function("window.MathJax?.startup?.promise", timeout=120_000)
        sheet.evaluate("MathJax.startup.promise.then(() => true)")
        sheet.pdf(path=str(pdf), prefer_css_page_size=True, print_background=True)
    return f"The same as PDF: {pdf.relative_to(ROOT)}"


def sheet_cells(path: Path) -> list:
    """The sheet of one notebook: each exercise from its heading to its stub."""
    new_cell = {
        "markdown": nbformat.v4.new_markdown_cell,
        "code": nbformat.v4.new_code_cell,
    }
    notebook, found = read(path), []
    title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
    for one in asked(notebook):
        cells = notebook.cells[one.heading.number : one.stub.number + 1]
        found += [new_cell[cell.kind](cell.source) for cell in cells]
    return [new_cell["markdown"](f"## {title}")] * bool(found) + found


LINK = re.compile(r"<a [^>]*>(.*?)</a>|\[([^]]*)\]\([^)\s]*\)")


def summary_cells() -> list:
    """The page of all rules, one level down, without links: paper leads nowhere."""
    found = []
    for cell in store_outputs.read(FOLDER / f"{SUMMARY}.ipynb").cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"^#", "##", bare(cell.source), flags=re.MULTILINE)
        for output in cell.get("outputs", ()):
            output.data["text/html"] = bare(output.data["text/html"])
        if cell.cell_type == "markdown" or cell.outputs:
            found.append(cell)
    return found


def bare(text: str) -> str:
    """A text, or a page, with the words of its links alone."""
    return LINK.sub(lambda found: found[1] or found[2], text)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
