"""The kernel in the browser: it runs a cell, and says to the page what came of it.

What it says is a line of JSON for each message, in the words of Jupyter's protocol:
`stream`, `display_data`, `execute_result`, `error`, `clear_output`, and one `reply`.
"""

from __future__ import annotations

import ast
import builtins
import codeop
import contextlib
import hashlib
import inspect as introspection
import json
import linecache
import logging
import os
import re
import rlcompleter
import sys
import time
import timeit
import traceback
import types
import warnings
from pathlib import Path

HOME = Path("/course/notebooks")
KEPT = ("progress.json", "progress.json.damaged")
DEEPEST = 400  # calls within calls: the browser's own stack ends soon after
TRACEBACK = "Traceback (most recent call last)"
FAR = 3  # lines shown before and after the one where an error arose

_mouth = open("/page/mouth", "wb", buffering=0)


def say(kind: str, **content) -> None:
    """Hand one message to the page."""
    if _muted[0] and kind not in ("error", "reply", "keep"):
        return
    _mouth.write(json.dumps({"type": kind, **content}).encode() + b"\n")


_muted = [False]


@contextlib.contextmanager
def muted():
    """Say nothing of what is shown meanwhile; errors are said."""
    _muted[0] = True
    try:
        yield
    finally:
        _muted[0] = False


class Stream:
    """Standard output, or standard error, as messages to the page."""

    encoding, errors, closed = "utf-8", "replace", False

    def __init__(self, name: str) -> None:
        self.name, self.waiting, self.last = f"<{name}>", [], 0.0
        self.kind = name

    def write(self, text: str) -> int:
        """Say `text` now if the last was said a while ago, else with what follows."""
        if not isinstance(text, str):
            raise TypeError(f"write() needs a str, found {type(text).__name__}")
        self.waiting.append(text)
        if time.monotonic() - self.last > 0.1:
            self.flush()
        return len(text)

    def writelines(self, lines) -> None:
        """Write one after the other."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Say what waits."""
        if text := "".join(self.waiting):
            say("stream", name=self.kind, text=text)
        self.waiting.clear()
        self.last = time.monotonic()

    def isatty(self) -> bool:
        """Tell that nobody sits at a terminal."""
        return False

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def readable(self) -> bool:
        """Tell that nothing can be read."""
        return False


def flush() -> None:
    """Say all that has been printed."""
    sys.stdout.flush()
    sys.stderr.flush()


# --- what needs more than a browser has -----------------------------------------------


def _unable() -> tuple[dict, dict]:
    """Give the cells that cannot run here by their source, and the names they make."""
    cells = json.loads(Path("/course/unable.json").read_text(encoding="utf-8"))
    by_source = {cell["source"]: cell for cell in cells}
    return by_source, {name: cell for cell in cells for name in cell["makes"]}


def source_key(code: str) -> str:
    """Give what a cell is known by: its text, blanks at the end apart."""
    return hashlib.sha256(code.strip().encode()).hexdigest()[:16]


# --- a cell ---------------------------------------------------------------------------

_by_source, _makers = _unable()
_passed: dict[str, dict] = {}  # the names that a cell passed by would have made
main = types.ModuleType("__main__")
main.__dict__["__builtins__"] = builtins


def execute(code: str, count: int) -> None:
    """Run a cell, and reply."""
    cell = _by_source.get(source_key(code))
    if cell:
        _play(cell)
        with muted():
            status = _run(cell["runs"], count)
            flush()
    else:
        status = _run(code, count)
    flush()
    _keep()
    say("reply", **status)


def _play(cell: dict) -> None:
    """Show what the course stored for a cell that cannot run here."""
    what = "Its stored output:" if cell["outputs"] else "The rest is imported."
    what = what if cell["outputs"] or cell["runs"] else "It is passed by."
    needs = f"This cell needs {cell['needs']}, which is not there in a browser."
    say("stream", name="stderr", text=f"{needs} {what}\n")
    _passed.update(dict.fromkeys(cell["makes"], cell))
    for output in cell["outputs"]:
        say("stored", output=output)


def _run(code: str, count: int) -> dict:
    name = f"Cell In[{count}]"
    lines = code.splitlines(keepends=True)
    linecache.cache[name] = (len(code), None, lines, name)
    try:
        tree = ast.parse(_plain(code), name)
        last = tree.body.pop() if _is_shown(tree.body, code) else None
        exec(compile(tree, name, "exec", dont_inherit=True), main.__dict__)
        if last is not None:
            shown = compile(ast.Expression(last.value), name, "eval", dont_inherit=True)
            _result(eval(shown, main.__dict__), count)
        _figures()
    except BaseException as error:
        flush()
        return _error(error, name)
    return {"status": "ok"}


def _plain(code: str) -> str:
    """Make `name?` Python; refuse what else only IPython knows, in one sentence."""
    for number, line in enumerate(code.splitlines(), start=1):
        if asked := re.fullmatch(r"([\w.]+)\?{1,2}|\?{1,2}([\w.]+)", line.strip()):
            name = asked[1] or asked[2]
            code = code.replace(line, f"print(__import__('kernel').about({name!r}))")
        elif re.match(r"\s*(%|!)|\?\s*$|^\?", line) and not _parses(code):
            raise SyntaxError(
                f"Line {number}: {line.strip()!r} is a command of IPython, which the "
                "browser's Python has not. Use Python alone; help(name) tells about it."
            )
    return code


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _is_shown(body: list, code: str) -> bool:
    """Whether the value of the last line is to be shown: no semicolon ends it."""
    if not body or not isinstance(body[-1], ast.Expr):
        return False
    last = code.rstrip().splitlines()[-1]
    return not last.partition("#")[0].rstrip().endswith(";")


def _result(value, count: int) -> None:
    if value is None:
        return
    main.__dict__["_"] = value
    from IPython.display import bundle

    flush()
    data, metadata = bundle(value)
    say("execute_result", execution_count=count, data=data, metadata=metadata)


def _figures() -> None:
    """Show the figures of pyplot that a cell has left open, as JupyterLab does."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    from IPython.display import display

    for number in pyplot.get_fignums():
        display(pyplot.figure(number))
        pyplot.close(number)


def _keep() -> None:
    """Hand over the small files that are to be there after a reload."""
    for name in KEPT:
        try:
            text = (HOME / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        say("keep", name=f"notebooks/{name}", text=text)


# --- errors ---------------------------------------------------------------------------


def _error(error: BaseException, cell: str) -> dict:
    name, text = type(error).__name__, str(error)
    told = _told(error, cell)
    if isinstance(error, NameError) and (by := _passed.get(getattr(error, "name", ""))):
        told.append(
            f"\n{error.name} is made by a cell that needs {by['needs']}, which a "
            "browser has not: that cell did not run, its stored output was shown."
        )
    for one in _chain(error):
        if isinstance(one, ModuleNotFoundError) and one.name:
            told.append(f"\n{one.name} is not there in a browser. Installed, it works.")
    say("error", ename=name, evalue=text, traceback="".join(told).split("\n"))
    return {"status": "error", "ename": name, "evalue": text, "traceback": []}


def _told(error: BaseException, cell: str) -> list[str]:
    """Give the lines of an error: the places from the cell on, and the message last."""
    if isinstance(error, SyntaxError) and error.filename == cell:
        return traceback.format_exception_only(error)
    told = []
    for one in _chain(error):
        head = type(one).__name__
        told.append(f"{'-' * 75}\n{head}{TRACEBACK:>{75 - len(head)}}\n")
        frames = traceback.extract_tb(one.__traceback__)
        ours = [f for f in frames if f.filename != __file__]
        told += [_place(frame) for frame in ours]
        told += ["\n", *traceback.format_exception_only(one)]
    return told


def _chain(error: BaseException) -> list[BaseException]:
    """Give the errors from the first to the one raised last."""
    chain = [error]
    while True:
        last = chain[-1]
        before = last.__cause__ or (
            None if last.__suppress_context__ else last.__context__
        )
        if before is None or before in chain:
            return chain[::-1]
        chain.append(before)


def _place(frame: traceback.FrameSummary) -> str:
    """Show where: the file or cell, and the lines around the one that failed."""
    where = frame.filename.removeprefix("/course/")
    inside = "" if frame.name == "<module>" else f", in {frame.name}"
    head = (
        f"{where}, line {frame.lineno}"
        if where[:4] == "Cell"
        else f"File {where}:{frame.lineno}"
    )
    lines = [f"{head}{inside}\n"]
    for n in range(frame.lineno - FAR, frame.lineno + FAR + 1):
        text = linecache.getline(frame.filename, n).rstrip()
        if n < 1 or not (text or n == frame.lineno):
            continue
        lines.append(f"{'---->' if n == frame.lineno else '     '} {n} {text}\n")
    return "".join(lines) + "\n"


# --- what the editor asks -------------------------------------------------------------


def complete(code: str, cursor: int) -> None:
    """Reply with the names that begin as the one before the cursor does."""
    start = re.search(r"[\w.]*$", code[:cursor]).start()
    text = code[start:cursor]
    completer = rlcompleter.Completer({**main.__dict__})
    found: list[str] = []
    try:
        while (match := completer.complete(text, len(found))) is not None:
            found.append(match.rstrip("(").rstrip(")"))
    except Exception:
        found = []
    found = [name for name in dict.fromkeys(found) if name.strip()]
    say(
        "reply",
        matches=found,
        cursor_start=start,
        cursor_end=cursor,
        status="ok",
        metadata={},
    )


def inspect(code: str, cursor: int) -> None:
    """Reply with what is known of the name around the cursor."""
    left = re.search(r"[\w.]*$", code[:cursor])[0]
    name = (left + re.match(r"\w*", code[cursor:])[0]).strip(".")
    if not name and (call := re.search(r"([\w.]+)\($", code[:cursor])):
        name = call[1]
    told = about(name)
    data = {"text/plain": told} if told else {}
    say("reply", status="ok", found=bool(told), data=data, metadata={})


def about(name: str) -> str:
    """Give the signature and the documentation of what has a name, or nothing."""
    try:
        thing = eval(name, {**main.__dict__}) if name else None
    except Exception:
        thing = None
    if thing is None:
        return ""
    try:
        head = f"{name}{introspection.signature(thing)}"
    except (TypeError, ValueError):
        head = f"{name}: {type(thing).__name__}"
    return f"{head}\n\n{introspection.getdoc(thing) or ''}"


def is_complete(code: str) -> None:
    """Reply whether Enter should end the cell of a console."""
    try:
        whole = codeop.compile_command(code, "<console>", "exec") is not None
        say("reply", status="complete" if whole else "incomplete", indent="")
    except (SyntaxError, ValueError, OverflowError):
        say("reply", status="invalid")


def _long_enough(plain):
    """Make a `timeit` for a clock that moves in steps of a tenth of a millisecond.

    What is shorter than twenty of them is run more often; what one run took is told.
    """

    def timeit_(timer, number: int = timeit.default_number) -> float:
        times = 1
        while (total := plain(timer, number * times)) < 2e-3 and times < 4096:
            times *= 4
        return total / times

    return timeit_


def _settle() -> None:
    """Tell Python what differs in a browser, so that it does not warn of it."""
    timeit.Timer.timeit = _long_enough(timeit.Timer.timeit)
    # There are no permissions here: what is there may be written to.
    os.access = lambda path, mode, **_: os.path.exists(path)
    # Fonts that no figure of the course uses are left out; others take their place.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="tqdm:disabling monitor support")


def _begin() -> None:
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    _settle()
    sys.modules["__main__"] = main
    sys.setrecursionlimit(DEEPEST)
    import course_fonts  # noqa: F401  (matplotlib's own files, laid out where it looks)

    HOME.mkdir(parents=True, exist_ok=True)
    os.chdir(HOME)
    sys.path.insert(0, str(HOME))
    import IPython  # noqa: F401  (so that the course knows that it has a page)


_begin()
