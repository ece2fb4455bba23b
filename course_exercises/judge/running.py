"""Running a student's function: its time, output, exceptions, and what it changes."""

from __future__ import annotations

import contextlib
import copy
import io
import linecache
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

MOST_CHARACTERS = 100_000
SHOWN_LINES = 20
AGAIN = 0.05  # seconds between two attempts to stop
LONG = 1000  # more parts than that are numbers, and not results
_COURSE = "course_utils"


class Stopped(BaseException):
    """The student's function has to end: "time" or "output". Plumbing.

    Not an Exception, so that `except Exception` in the student's code lets it pass.
    """


@dataclass
class Run:
    """What one call of a student's function left behind. Plumbing."""

    value: Any = None
    error: BaseException | None = None
    printed: str = ""
    warned: str = ""
    changed: tuple[int, ...] = ()

    @property
    def stopped(self) -> str:
        """Why it was stopped: "time", "output", or nothing."""
        return str(self.error) if isinstance(self.error, Stopped) else ""


# --- time -----------------------------------------------------------------------------


def importing(frame: Any) -> bool:
    """Whether an import runs below this frame: it is not to be cut in two. Plumbing.

    Half an imported torch cannot be imported again in the same process.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


# Where it was compiled: of a module in an archive, that is not its file.
_WITH = contextlib.contextmanager.__code__.co_filename


def _ours(frame: Any) -> bool:
    """Whether the watch itself runs here, between `limited` and this frame.

    By its functions, and not by files: a student's code waits in `threading`, too.
    """
    watches = [w.__wrapped__.__code__ for w in (_alarm, _watcher, _milestones)]
    while frame is not None and frame.f_code is not limited.__code__:
        code, above = frame.f_code, frame.f_back
        enters_or_leaves = code.co_filename == _WITH and above is not None
        if code in watches or (enters_or_leaves and above.f_code is limited.__code__):
            return True
        frame = above
    return False


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise Stopped in the main thread after some seconds, again if it is swallowed.

    Never while the watch itself is set or taken down. A loop that swallows everything
    is hit in its `except` block sooner or later: for this the attempts come at odd
    moments.
    """
    armed, dice, rung = [True], random.Random(0), [0]

    def ring(_number: int, frame: Any) -> None:
        if not armed or _ours(frame) or importing(frame):
            return
        rung[0] += 1
        if rung[0] > 3:
            signal.setitimer(signal.ITIMER_REAL, dice.uniform(2e-6, 2e-4), AGAIN)
        raise Stopped("time")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), AGAIN)
    try:
        yield
    finally:
        armed.clear()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _raise_in(thread: int, error: type | None) -> None:
    """Let another thread raise, at its next step; None takes that back."""
    from ctypes import c_ulong, py_object, pythonapi  # not there in a browser

    what = None if error is None else py_object(error)
    pythonapi.PyThreadState_SetAsyncExc(c_ulong(thread), what)


class _TimeIsUp(Stopped):
    """What a thread can be made to raise: a class, without arguments."""

    def __str__(self) -> str:
        return "time"


@contextlib.contextmanager
def _watcher(seconds: float) -> Iterator[None]:
    """The same where there is no alarm: in other threads, and on Windows."""
    target, done = threading.get_ident(), threading.Event()

    def watch() -> None:
        wait = seconds
        while not done.wait(wait):
            frame, wait = sys._current_frames().get(target), AGAIN
            if frame is None or _ours(frame) or importing(frame):
                continue
            _raise_in(target, _TimeIsUp)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        _raise_in(target, None)


@contextlib.contextmanager
def _milestones(seconds: float) -> Iterator[None]:
    """The same where there is neither alarm nor thread, in a browser.

    Whoever takes long jumps back or calls; at each of these the clock is looked at.
    """
    events, tool = sys.monitoring.events, sys.monitoring.DEBUGGER_ID
    passed = events.JUMP | events.PY_START
    end = time.monotonic() + seconds

    def look(*_: Any) -> None:
        frame = sys._getframe(1)
        if time.monotonic() > end and not (_ours(frame) or importing(frame)):
            raise Stopped("time")

    sys.monitoring.use_tool_id(tool, "time limit")
    for event in (events.JUMP, events.PY_START):
        sys.monitoring.register_callback(tool, event, look)
    sys.monitoring.set_events(tool, passed)
    try:
        yield
    finally:
        sys.monitoring.set_events(tool, 0)
        sys.monitoring.free_tool_id(tool)


def _watch() -> Callable[[float], contextlib.AbstractContextManager]:
    if sys.platform in ("wasi", "emscripten"):
        return _milestones
    main = threading.current_thread() is threading.main_thread()
    return _alarm if main and hasattr(signal, "setitimer") else _watcher


def limited(function: Callable[[], Any], seconds: float) -> Any:
    """Call a function; raise Stopped("time") if it takes too long. Plumbing."""
    with _watch()(seconds):
        return function()


# --- output ---------------------------------------------------------------------------


class Output(io.TextIOBase):
    """Keep what is written; stop who writes too much. Plumbing."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.size = 0

    def writable(self) -> bool:
        """Whether it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Keep a text, or raise Stopped("output")."""
        self.size += len(text)
        if self.size > MOST_CHARACTERS:
            raise Stopped("output")
        self.parts.append(text)
        return len(text)


def shortened(text: str, lines: int = SHOWN_LINES, columns: int = 200) -> str:
    """Cut a long text down to its first lines, and say so. Plumbing."""
    split = [
        line if len(line) <= columns else f"{line[: columns - 2]} …"
        for line in text.splitlines()
    ]
    more = len(split) - lines
    return "\n".join(split[:lines] + [f"… and {more} more lines"] * (more > 0))


# --- what a function may not leave behind ---------------------------------------------


@contextlib.contextmanager
def _random_kept() -> Iterator[None]:
    """Give the global random generators back as they were."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


@contextlib.contextmanager
def _kernel_kept() -> Iterator[None]:
    """Make `exit()` raise SystemExit in Jupyter as well, where it ends the kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        yield
        return
    shell.ask_exit = sys.exit
    try:
        yield
    finally:
        del shell.ask_exit


@contextlib.contextmanager
def _set_apart(output: Output) -> Iterator[list]:
    """Catch what a function prints and warns of; undo its changes of settings."""
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
        warnings.catch_warnings(record=True) as seen,
        np.errstate(all="warn", under="ignore"),
        np.printoptions(),
        _random_kept(),
        _kernel_kept(),
    ):
        warnings.simplefilter("default")
        yield seen


def same(before: Any, after: Any) -> bool:
    """Whether an argument is still what it was (what cannot be compared is). Plumbing.

    Arrays, numbers, and lists, tuples and dictionaries of them are compared.
    """
    if isinstance(before, list | tuple) and type(before) is type(after):
        pairs = zip(before, after, strict=False)
        return len(before) == len(after) and all(same(b, a) for b, a in pairs)
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(
            same(before[key], after[key]) for key in before
        )
    if isinstance(before, int | float):
        return type(before) is type(after) and repr(before) == repr(after)
    if hasattr(before, "detach") and hasattr(after, "detach"):  # torch's tensors
        before, after = before.detach().numpy(), after.detach().numpy()
    if not isinstance(before, np.ndarray):
        return True
    return before.shape == after.shape and before.tobytes() == after.tobytes()


# --- running --------------------------------------------------------------------------


def kept(value: Any) -> Any:
    """Copy returned arrays: the next call may write into the same. Plumbing.

    What NumPy would have to go through is made an array here, as long as the clock
    runs: a long list, a sequence of the student's own, an object with `__array__`.
    """
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) is dict:
        return {key: kept(part) for key, part in value.items()}
    if _walked(value) and (array := _numbers_in(value)) is not None:
        return array
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(map(kept, value))
    return value


def _walked(value: Any) -> bool:
    """Whether NumPy would ask an object for its numbers, or go through many parts."""
    kind = type(value)
    if isinstance(value, list | tuple | range):
        return len(value) > LONG
    if kind.__module__.partition(".")[0] in ("builtins", "numpy", "torch", _COURSE):
        return False
    return hasattr(kind, "__array__") or hasattr(kind, "__getitem__")


def _numbers_in(value: Any) -> np.ndarray | None:
    """Make an array of numbers or texts; None where there are no such."""
    try:
        array = np.array(value)
    except Exception:  # its trouble is told by who looks at it later
        return None
    return array if array.dtype.kind in "biufcU" else None


class Runner:
    """Run calls that share one limit of time. Plumbing."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def __call__(self, call: Callable, answer: Any, args: tuple) -> Run:
        """Give what `call(answer, *args)` does, with copies of the arguments."""
        given, output, run = copy.deepcopy(args), Output(), Run()
        started, modules = time.perf_counter(), len(sys.modules)
        with _set_apart(output) as seen:
            run.value, run.error = self._tried(lambda: call(answer, *given))
            if run.stopped == "time" and len(sys.modules) > modules:
                # What an import took is not the student's: once more, without it.
                given, started = copy.deepcopy(args), time.perf_counter()
                run.value, run.error = self._tried(lambda: call(answer, *given))
        if output.size > MOST_CHARACTERS:
            run.error = Stopped("output")
        self.left -= time.perf_counter() - started
        run.printed = "".join(output.parts)
        run.warned = str(seen[0].message) if seen else ""
        run.changed = tuple(
            k for k, pair in enumerate(zip(args, given, strict=True)) if not same(*pair)
        )
        return run

    def _tried(self, function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
        """What a function gives within the time that is left, and what it raises."""
        try:
            return limited(lambda: kept(function()), self.left), None
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # the student's, whatever it is
            return None, error


def _file_of(answer: Any) -> str:
    """The file, or the cell, that a function or class was written in."""
    code = getattr(getattr(answer, "__func__", answer), "__code__", None)
    if code is None and isinstance(answer, type):
        methods = (getattr(m, "__code__", None) for m in vars(answer).values())
        code = next(filter(None, methods), None)
    return code.co_filename if code else ""


def place(error: BaseException, answer: Any) -> tuple[int, str, str] | None:
    """Line number, cell, and source of the last line of the student's own. Plumbing.

    A cell of a notebook is no file on the disk, but its source is known.
    """
    found, step, own = None, error.__traceback__, _file_of(answer)
    while step is not None:
        code, number = step.tb_frame.f_code, step.tb_lineno
        line = linecache.getline(code.co_filename, number).strip()
        if code.co_filename == own:
            found = (number, "your cell", shortened(line, 1, 88))
        elif line and not Path(code.co_filename).is_file():
            cell = f"the cell with `{code.co_name}`"
            found = (number, cell, shortened(line, 1, 88))
        step = step.tb_next
    return found
