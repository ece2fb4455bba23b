"""The rules that a stored notebook keeps: `rule(notebook) -> list of complaints`.

A complaint names the cell and says how to mend it. `RULES` holds every rule; the tests
apply each to all notebooks, and each to a bad miniature that it must complain about.
"""

from __future__ import annotations

import ast
import html
import re
import statistics
from collections.abc import Callable
from urllib.parse import unquote

from tools import notes
from tools.notebooks import (
    SUMMARY,
    TIME,
    Cell,
    Notebook,
    all_text,
    code_lines,
    describes,
    headings,
    pace,
    parted,
    prose,
    said_minutes,
    shown_text,
    within,
)
from tools.runner import HIDDEN, HIDES_CODE

Rule = Callable[[Notebook], list[str]]
RULES: list[Rule] = []

SCREEN = 60  # lines
MARKDOWN_SHARE = (0.40, 0.50)
MEDIAN_LINES, LONG_LINES, SHORT_SHARE = 5, 15, 0.9
EXEMPT_CELLS, EXEMPT_SHARE = 3, 0.1
WITHIN_CELLS = 12
MOST_MINUTES, TIME_SLACK = 90, 0.15


def rule(function: Rule) -> Rule:
    """Enter a function into RULES."""
    RULES.append(function)
    return function


# --- stored as a fresh run leaves it --------------------------------------------------


@rule
def cells_ran_in_order(notebook: Notebook) -> list[str]:
    """Execution counts are 1…n: the outputs are those of one fresh run."""
    wanted = {cell.number: n for n, cell in enumerate(notebook.code, start=1)}
    return [
        f"{cell}: execution count {cell.count}, expected {wanted[cell.number]}; "
        "store the outputs anew"
        for cell in notebook.code
        if cell.count != wanted[cell.number]
    ]


@rule
def no_cell_is_empty(notebook: Notebook) -> list[str]:
    """Every cell says something."""
    return [f"{c}: empty; delete it" for c in notebook.cells if not c.source.strip()]


@rule
def errors_are_announced(notebook: Notebook) -> list[str]:
    """A stored error stands in a cell tagged raises-exception, and only there."""
    said = []
    for cell in notebook.code:
        raised = any(output["output_type"] == "error" for output in cell.outputs)
        if raised and "raises-exception" not in cell.tags:
            said.append(f"{cell}: holds an error, but no tag raises-exception")
        if not raised and "raises-exception" in cell.tags:
            said.append(f"{cell}: tagged raises-exception, but holds no error")
    return said


@rule
def metadata_is_bare(notebook: Notebook) -> list[str]:
    """Metadata: kernel and language, tags and slideshow, alt texts and sizes.

    And what hides the code of a cell, where a tag does.
    """
    said = []
    kernel = notebook.metadata.get("kernelspec", {}).get("name")
    if kernel != "python3":
        said.append(f"kernel {kernel!r}, expected 'python3'")
    if notebook.metadata.get("language_info") != {"name": "python"}:
        said.append("language_info is not just {'name': 'python'}; store anew")
    if more := set(notebook.metadata) - {"kernelspec", "language_info"}:
        said.append(f"metadata of the notebook holds {sorted(more)}; store anew")
    for cell in notebook.cells:
        hidden = {"jupyter"} if HIDES_CODE & set(cell.tags) else set()
        if more := set(cell.metadata) - {"tags", "slideshow"} - hidden:
            said.append(f"{cell}: metadata holds {sorted(more)}; store anew")
        if hidden and cell.metadata.get("jupyter") != HIDDEN:
            said.append(
                f"{cell}: a tag hides its code, the metadata do not; store anew"
            )
        for output in cell.outputs:
            if more := set(output.get("metadata", {})) - set(output.get("data", {})):
                said.append(f"{cell}: metadata of an output holds {sorted(more)}")
    return said


@rule
def cells_have_ids(notebook: Notebook) -> list[str]:
    """Every cell has an id of its own, so that changes can be followed."""
    said = [f"{c}: no id; store anew" for c in notebook.cells if not c.cell_id]
    if notebook.minor < 5:
        said.append(f"format 4.{notebook.minor} has no cell ids; store anew")
    ids = [cell.cell_id for cell in notebook.cells]
    twice = [c for c in notebook.cells if c.cell_id and ids.count(c.cell_id) > 1]
    return said + [f"{cell}: another cell has the same id" for cell in twice]


@rule
def ids_are_of_this_notebook(notebook: Notebook) -> list[str]:
    """An id begins with the notebook's number: no random one, and no mere count."""
    number = notebook.path.stem.partition("_")[0]
    return [
        f"{cell}: expected an id such as {number}-012b; `make notebooks NB={number}` "
        "gives one. Did another cell take its id? Then give it back"
        for cell in notebook.cells
        if cell.cell_id and not cell.cell_id.startswith(f"{number}-")
    ]


@rule
def notes_speak_of_their_cells(notebook: Notebook) -> list[str]:
    """The words above a note for the lecture stand in the cell with its id."""
    said = []
    for name, words in notes.heads(notebook.path):
        cell = notes.cell_of(notebook, name)
        if cell is None:
            said.append(f"note {name}: no cell has this id; which one is meant?")
        elif not words:
            said.append(f"note {name}: no words of its cell; run python -m tools.notes")
        elif words not in notes.plain(cell):
            said.append(
                f"note {name}: {words!r} is not in {cell}. Has the id moved? Give it "
                "back, or take words of the cell that the note is about"
            )
    return said


STUB = re.compile(r"# Exercise (\d\d\.\d+)\n")
CHECK = re.compile(r'check\("(\d\d\.\d+)", \w+\)\s*')


@rule
def exercises_keep_their_cells(notebook: Notebook) -> list[str]:
    """A cell tagged exercise-N is N's stub or N's check; each is there once."""
    said, found = [], []
    for cell in notebook.code:
        tagged = [tag[9:] for tag in cell.tags if tag.startswith("exercise-")]
        stub, check = STUB.match(cell.source), CHECK.fullmatch(cell.source)
        meant = [match.group(1) for match in (stub, check) if match]
        if tagged != meant or ("stub" in cell.tags) != bool(stub):
            said.append(f"{cell}: tagged {cell.tags}; is it a stub or a check?")
        found += [(number, bool(stub)) for number in tagged]
    for number in sorted({number for number, _ in found}):
        if [stub for n, stub in found if n == number] != [True, False]:
            said.append(f"exercise {number}: expected one stub, and one check below it")
        if number[:2] != notebook.path.stem[:2]:
            said.append(f"exercise {number} belongs into another notebook")
    return said


@rule
def no_widget_state(notebook: Notebook) -> list[str]:
    """No output needs a widget's state or a script of a live kernel."""
    return [
        f"{cell}: output {mime} needs a running kernel"
        for cell in notebook.code
        for output in cell.outputs
        for mime in output.get("data", {})
        if "widget" in mime or mime == "application/javascript"
    ]


MACHINE = re.compile(
    r"(?<![\w.])/(?:home|root|tmp|work|Users)/|site-packages|[A-Z]:\\+Users"
)


@rule
def no_machine_paths(notebook: Notebook) -> list[str]:
    """No path of a user's machine in sources or outputs (warnings bring them)."""
    said = []
    for cell in notebook.cells:
        for text in [cell.source, *map(all_text, cell.outputs)]:
            if found := MACHINE.search(text):
                near = text[max(0, found.start() - 20) : found.end() + 40]
                said.append(f"{cell}: path of a machine: {near!r}")
    return said


@rule
def no_addresses(notebook: Notebook) -> list[str]:
    """No memory addresses in outputs: they differ in every run."""
    return [
        f"{cell}: an address such as 0x7f… in the output; print something that lasts"
        for cell in notebook.code
        if any(re.search(r"\bat 0x[0-9a-fA-F]{6,}", all_text(o)) for o in cell.outputs)
    ]


# --- pictures -------------------------------------------------------------------------


def alt_missing(output: dict) -> list[str]:
    """List the pictures of one output that no page shows with an alt text.

    JupyterLab and nbconvert show that of an <img>, and no other: what stands in the
    metadata of an output is read by nobody.
    """
    data = output.get("data", {})
    if "text/html" not in data:
        return [mime for mime in data if mime.startswith("image/")]
    tags = re.findall(r"<img\b[^>]*>", data["text/html"])
    alts = [re.search(r"""\balt=(["'])(.*?)\1""", tag) for tag in tags]
    return ["<img>" for alt in alts if not (alt and describes(html.unescape(alt[2])))]


@rule
def pictures_have_alt_text(notebook: Notebook) -> list[str]:
    """Every picture is shown with an alt text of at least three words."""
    return [
        f"{cell}: {picture} without alt text; draw it by viz.show(fig, alt)"
        for cell in notebook.code
        for output in cell.outputs
        for picture in alt_missing(output)
    ]


WEB_PICTURE = re.compile(
    r"!\[[^\]]*\]\(\s*<?(?:https?:)?//|<(?:img|script|iframe|video)\b[^>]*"
    r"\bsrc\s*=\s*[\"']?(?:https?:)?//|Image\(\s*(?:url\s*=\s*)?[\"']https?:",
    re.IGNORECASE,
)


@rule
def no_pictures_from_the_web(notebook: Notebook) -> list[str]:
    """Pictures come from cells: none is linked from the web, none is attached."""
    said = [
        f"{c}: attachment; draw it in a cell" for c in notebook.cells if c.attachments
    ]
    for cell in notebook.cells:
        texts = [cell.source, *map(all_text, cell.outputs)]
        if any(WEB_PICTURE.search(text) for text in texts):
            said.append(f"{cell}: a picture or script from the web; draw it in a cell")
    return said


# --- how it is written ----------------------------------------------------------------


@rule
def text_and_code_are_balanced(notebook: Notebook) -> list[str]:
    """Markdown is 40–50 % of the cells."""
    least, most = MARKDOWN_SHARE
    share = len(notebook.markdown) / max(1, len(notebook.cells))
    if least <= share <= most:
        return []
    count = f"{len(notebook.markdown)} of {len(notebook.cells)}"
    return [f"{share:.1%} of cells are markdown ({count}); {least:.0%} to {most:.0%}"]


@rule
def cells_are_short(notebook: Notebook) -> list[str]:
    """Median of 5 lines of code, nine cells in ten within 15."""
    lengths = [(code_lines(cell.source), cell) for cell in notebook.code]
    if not lengths:
        return []
    said = []
    median = statistics.median(length for length, _ in lengths)
    if median > MEDIAN_LINES:
        said.append(f"median of {median:g} lines a code cell; at most {MEDIAN_LINES}")
    long = [(length, cell) for length, cell in lengths if length > LONG_LINES]
    if len(lengths) - len(long) < SHORT_SHARE * len(lengths):
        said += [f"{cell}: {length} lines; split it" for length, cell in long]
    return said


@rule
def outputs_fit_a_screen(notebook: Notebook) -> list[str]:
    """No output is longer than a screen."""
    return [
        f"{cell}: an output of {lines} lines; at most {SCREEN}"
        for cell in notebook.code
        for output in cell.outputs
        if (lines := len(shown_text(output).splitlines())) > SCREEN
    ]


LEGACY = re.compile(
    r"\b(?:np|numpy)\.random\.(?!default_rng\b|Generator\b|SeedSeq)(\w+)"
)
FORBIDDEN = (
    (re.compile(r"^\s*from\s+\S+\s+import\s+\*", re.MULTILINE), "star import"),
    (re.compile(r"\bsys\s*\.\s*path\b|from sys import path"), "sys.path"),
    (
        re.compile(r"^\s*[%!]+\s*(?:\w+ -m )?(?:uv |pip|conda|mamba)", re.MULTILINE),
        "an installation",
    ),
    (
        re.compile(
            r"print\(\s*f?[\"'](?:\W*)(?:success|passed|all (?:tests|checks)|it works"
            r"|works|correct|ok|okay)\b[^\"'{]*[\"']\s*\)",
            re.IGNORECASE,
        ),
        "a print that claims success; assert it",
    ),
)


@rule
def no_forbidden_code(notebook: Notebook) -> list[str]:
    """No star imports, no sys.path, no installing, no printed claims of success."""
    return [
        f"{cell}: {what}"
        for cell in notebook.code
        for pattern, what in FORBIDDEN
        if pattern.search(cell.source)
    ]


@rule
def randomness_is_passed_on(notebook: Notebook) -> list[str]:
    """Random numbers come from default_rng, or from cells tagged legacy-seed."""
    return [
        f"{cell}: np.random.{found.group(1)}; use rng = np.random.default_rng(seed)"
        for cell in notebook.code
        if "legacy-seed" not in cell.tags
        for found in LEGACY.finditer(cell.source)
    ]


def plain_python(source: str) -> str:
    """Give a source without the lines that only IPython reads."""
    return re.sub(r"^\s*[%!].*$", "pass", source, flags=re.MULTILINE)


@rule
def code_can_be_read(notebook: Notebook) -> list[str]:
    """Code is plain Python, but for lines that start with % or !."""
    said = []
    for cell in notebook.code:
        if "raises-exception" in cell.tags:  # may show a syntax error
            continue
        try:
            ast.parse(plain_python(cell.source))
        except SyntaxError as why:
            said.append(f"{cell}: line {why.lineno}: {why.msg}")
    return said


@rule
def words_are_kind(notebook: Notebook) -> list[str]:
    """Nothing is simple or obvious to the one who learns it."""
    return [
        f"{cell}: says {found.group()!r}; leave the word out"
        for cell in notebook.markdown
        for found in re.finditer(r"\b(simply|obviously)\b", prose(cell), re.IGNORECASE)
    ]


# --- how it is laid out ---------------------------------------------------------------

OPENING = ("What you will build", "What you will learn", "What you need", "Time")
CLOSING = ["Summary", "Exercises", "Sources"]


@rule
def it_opens_as_all_do(notebook: Notebook) -> list[str]:
    """One title, first; then what is built, learnt and needed, and how long."""
    titles = [
        (cell.number, title) for cell, level, title in headings(notebook) if level == 1
    ]
    said = []
    if len(titles) != 1 or titles[0][0] != 0:
        said.append(f"expected one '# Title', in the first cell; found {titles}")
    opening = [c for c in notebook.cells[:3] if all(s in c.source for s in OPENING)]
    if not opening:
        said.append(f"one of the first three cells has to hold the words {OPENING}")
    return said


@rule
def it_closes_as_all_do(notebook: Notebook) -> list[str]:
    """The last three sections are Summary, Exercises and Sources."""
    found = [title for _, level, title in headings(notebook) if level == 2][-3:]
    if found == CLOSING:
        return []
    return [f"the last sections ('## …') are {found}, expected {CLOSING}"]


@rule
def headings_skip_no_level(notebook: Notebook) -> list[str]:
    """Under a heading of level n stands level n + 1, not n + 2."""
    said, before = [], 0
    for cell, level, title in headings(notebook):
        if level > before + 1:
            said.append(f"{cell}: {title!r} jumps from level {before} to {level}")
        before = level
    return said


def off(what: str, said: int, counted: float) -> list[str]:
    """Complain where a time that is said is not the one that is counted."""
    if abs(said - counted) <= max(TIME_SLACK * counted, 0.5):  # whole minutes are said
        return []
    return [
        f"{said} minutes {what}, and counted are {counted:.0f}; say so, within "
        f"{TIME_SLACK:.0%}, or cut (python -m tools.minutes shows what counts)"
    ]


@rule
def time_is_honest(notebook: Notebook) -> list[str]:
    """The *Time* line says what is counted, and that is 90 minutes at most."""
    counted, said = pace(notebook), said_minutes(notebook)
    complaints = []
    if counted.minutes > MOST_MINUTES:
        complaints.append(
            f"{counted.minutes:.0f} minutes counted, at most {MOST_MINUTES}; cut, or "
            "make two notebooks (python -m tools.minutes shows what counts)"
        )
    if said is None:
        return [
            *complaints,
            f"no line {TIME!r}; counted: N = {counted.minutes:.0f}, "
            f"M = {counted.more:.0f}",
        ]
    complaints += off("of reading", said[0], counted.minutes)
    return complaints + off("for the exercises", said[1], counted.more)


def links(cell: Cell) -> list[str]:
    """Give the targets of the links in a markdown cell that point to files."""
    found = re.findall(r"\]\(\s*<?([^)\s>]+)", prose(cell))
    found += re.findall(r"href=[\"']([^\"']+)", prose(cell))
    return [
        to for to in found if not re.match(r"[a-z][\w+.-]*:|#|//", to, re.IGNORECASE)
    ]


@rule
def it_leads_to_all_rules(notebook: Notebook) -> list[str]:
    """The section Summary links to the page of all rules."""
    _, rest = parted(notebook.cells, "Summary")
    section, _ = parted(rest, "Exercises")
    targets = [to for c in section if c.kind == "markdown" for to in links(c)]
    if any(target.endswith(f"{SUMMARY}.ipynb") for target in targets):
        return []
    return [f"no link to {SUMMARY}.ipynb, the page of all rules, under '## Summary'"]


@rule
def links_lead_somewhere(notebook: Notebook) -> list[str]:
    """Relative links point to files that exist."""
    return [
        f"{cell}: link to {target!r}, which does not exist"
        for cell in notebook.markdown
        for target in links(cell)
        if not (notebook.path.parent / unquote(target.partition("#")[0])).exists()
    ]


EXEMPT = re.compile(r"^\s*#+\s*NBVAL_(?:IGNORE_OUTPUT|SKIP)\s*$", re.MULTILINE)
EXEMPT_TAGS = {"nbval-ignore-output", "nbval-skip"}


def exempt_cells(notebook: Notebook) -> list[Cell]:
    """Give the cells whose outputs are not compared."""
    return [
        cell
        for cell in notebook.code
        if EXEMPT.search(cell.source) or EXEMPT_TAGS & set(cell.tags)
    ]


@rule
def few_cells_are_exempt(notebook: Notebook) -> list[str]:
    """Only timings and progress bars escape the comparison: few cells."""
    exempt = exempt_cells(notebook)
    most = max(EXEMPT_CELLS, EXEMPT_SHARE * len(notebook.code))
    if len(exempt) <= most:
        return []
    return [f"{len(exempt)} exempt cells, at most {most:g}", *map(str, exempt)]


def nodes_of(cell: Cell) -> list[ast.AST]:
    """Give the syntax tree of a cell, node by node; nothing where it is no Python."""
    try:
        return list(ast.walk(ast.parse(plain_python(cell.source))))
    except SyntaxError:
        return []


def checks(cell: Cell) -> bool:
    """Tell whether a cell can fail: it asserts, itself or by a function that does."""
    nodes = nodes_of(cell)
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    names = [getattr(f, "attr", getattr(f, "id", "")) for f in called]
    asserts = any(isinstance(node, ast.Assert) for node in nodes)
    return asserts or any(name.startswith(("assert_", "test_")) for name in names)


FLOAT = re.compile(r"\d\.|\.\d|\de[-+−]?\d")


@rule
def wide_numbers_are_asserted(notebook: Notebook) -> list[str]:
    """A cell whose numbers may differ by a share asserts its claim; few do."""
    said, wide = [], []
    for cell, after in zip(notebook.code, [*notebook.code[1:], None], strict=True):
        try:
            if not within(cell.source):
                continue
        except ValueError as why:
            said.append(f"{cell}: {why}")
            continue
        wide.append(cell)
        if not (checks(cell) or (after and checks(after))):
            said.append(f"{cell}: no assertion guards it, here or in the next cell")
        if not any(FLOAT.search(all_text(output)) for output in cell.outputs):
            said.append(f"{cell}: prints no number that may differ; drop the line")
    if len(wide) > WITHIN_CELLS:
        said.append(f"{len(wide)} cells NBVAL_WITHIN, at most {WITHIN_CELLS}")
    both = {str(cell) for cell in exempt_cells(notebook)} & set(map(str, wide))
    return said + [f"{cell}: exempt, and NBVAL_WITHIN; one of the two" for cell in both]


# --- what it answers ------------------------------------------------------------------

# A boolean where an answer stands: alone, in a row, behind a colon or a gap.
ANSWER = re.compile(r"(?:^|[:\[(,]|\s)\s*(?:True|False)(?=$|[\s,;.\])])")
PRINTED_NUMBER = re.compile(r"(?<![\w.])[-−]?\d[\d,]*(?:\.\d*)?(?:e[-+−]?\d+)?")


def shows_a_value(line: str, cell: Cell) -> bool:
    """Tell whether a printed line holds a number that is not of its words."""
    constants = [
        node.value for node in nodes_of(cell) if isinstance(node, ast.Constant)
    ]
    words = " ".join(value for value in constants if isinstance(value, str))
    written = set(PRINTED_NUMBER.findall(words))
    return any(number not in written for number in PRINTED_NUMBER.findall(line))


@rule
def answers_are_values(notebook: Notebook) -> list[str]:
    """No line of an output says True or False and shows no value: print the value.

    A reader who was asked for a number, and the machine that compares, learn nothing
    from a boolean. A verdict is a word: passes, refused, ready.
    """
    return [
        f"{cell}: answers {line.strip()!r}; print the value, with NBVAL_WITHIN where "
        "machines differ, and assert the claim; of a verdict, print the word"
        for cell in notebook.code
        for output in cell.outputs
        for line in shown_text(output).splitlines()
        if ANSWER.search(line) and not shows_a_value(line, cell)
    ]
