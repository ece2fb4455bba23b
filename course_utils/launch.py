"""Start a script in several processes with torchrun, and never leave one behind.

`torchrun` starts the workers, and each of them in a session of its own. So whoever
starts it has to know all of them: their descendants are listed while they run, and all
that still live are ended with the launcher, whatever happens. Their output goes to a
file each, so that the last words of the one that failed can be told from the others'.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

_GRACE = 5.0  # seconds between asking to end and ending
_LOOK = 0.1  # seconds between two looks at what runs
_LAST_LINES = 8
_WINDOWS = sys.platform == "win32"
# torchrun's list of failures: a rank, then how it ended.
_FAILURE = re.compile(r"rank\s*:\s*(\d+) \(local_rank.*?exitcode\s*:\s*(-?\d+)", re.S)


class Run(NamedTuple):
    """What workers leave: worker 0's output, all process ids. Plumbing."""

    output: str
    processes: frozenset[int]


class LaunchError(RuntimeError):
    """Workers could not be started, failed, or took too long. Plumbing.

    `processes` holds the ids of all that were started, for whoever wants to look.
    """

    def __init__(self, message: str, processes: Iterable[int] = ()):
        super().__init__(message)
        self.processes = frozenset(processes)


def torchrun(
    script: str | Path,
    *args: Any,
    n_workers: int = 2,
    timeout: float = 120.0,
    port: int | None = None,
    command: str | None = None,
) -> Run:
    """Run `torchrun SCRIPT ARGS` with `n_workers` processes on this machine, and wait.

    Without `port` it looks for a free one by itself (`--standalone`). `command` is the
    launcher, if not the one beside this Python. Nothing it started runs any more
    afterwards. Raises LaunchError with the last words of the worker that failed first;
    after `timeout` seconds; for a taken port; if there is no script or no torchrun.

    Plumbing.
    """
    script = Path(script)
    if not script.is_file():
        raise LaunchError(f"no script {script.name} in {script.absolute().parent.name}")
    start = [*find_torchrun(command), f"--nproc-per-node={n_workers}", *_meet(port)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as logs:
        start += ["--redirects=3", f"--log-dir={logs}/workers", str(script)]
        seen, code = _watch(start + [str(arg) for arg in args], Path(logs), timeout)
        if code == 0:
            return Run(_worker_log(Path(logs), 0, "stdout"), frozenset(seen))
        raise LaunchError(
            _why(script.name, Path(logs), code, n_workers, timeout, port), seen
        )


def find_torchrun(command: str | None = None) -> list[str]:
    """Give the command that starts workers: torchrun beside this Python, or its module.

    Raises LaunchError if there is none. Plumbing.
    """
    if command is not None:
        found = shutil.which(command)
    else:
        folder = str(Path(sys.executable).parent)
        found = shutil.which("torchrun", path=folder)
        if found is None and importlib.util.find_spec("torch"):
            return [sys.executable, "-m", "torch.distributed.run"]
    if found is None:
        raise LaunchError(
            f"{command or 'torchrun'} is not to be found. torchrun comes with PyTorch: "
            f"choose the kernel of the course's environment (`make lab` opens it), or "
            f"install torch there"
        )
    return [found]


def _meet(port: int | None) -> list[str]:
    """Say where the workers meet: on a free port, or on the one that was asked for."""
    if port is None:
        return ["--standalone"]
    with socket.socket() as probe:
        if not _WINDOWS:  # where a port that was just given back counts as free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LaunchError(_port_message(port)) from error
    return ["--nnodes=1", "--master-addr=127.0.0.1", f"--master-port={port}"]


def _port_message(port: int | None) -> str:
    return (
        f"port {port} is taken by another program, perhaps by an earlier run. Choose "
        f"another port, or none: torchrun --standalone then finds a free one"
    )


def _watch(start: list[str], logs: Path, timeout: float) -> tuple[set[int], int | None]:
    """Wait for the launcher; give all processes seen, and its exit code (None: late).

    Whatever ends the wait, the stop button included, all of them are ended.
    """
    with (logs / "launcher").open("wb") as file:
        launcher = subprocess.Popen(
            start,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, "PYTHON_COLORS": "0"},  # what workers say is quoted
            start_new_session=True,
        )
    seen, end = {launcher.pid}, time.monotonic() + timeout
    try:
        while launcher.poll() is None and time.monotonic() < end:
            seen |= _descendants(seen)
            time.sleep(_LOOK)
        return seen, launcher.poll()
    finally:
        _stop(launcher, seen)


def _stop(launcher: subprocess.Popen, seen: set[int]) -> None:
    """End the launcher and all it started: ask first, then leave no choice."""
    if launcher.poll() is None:
        seen |= _descendants(seen)
        launcher.terminate()  # torchrun passes it on to its workers
        try:
            launcher.wait(_GRACE)
        except subprocess.TimeoutExpired:
            seen |= _descendants(seen)
    for pid in alive(seen):
        _kill(pid)
    launcher.wait()
    end = time.monotonic() + _GRACE
    while alive(seen) and time.monotonic() < end:
        time.sleep(_LOOK)


def _kill(pid: int) -> None:
    """End a process with all of its group: each worker leads one, so does torchrun."""
    if _WINDOWS:
        command = ["taskkill", "/F", "/T", "/PID", str(pid)]
        subprocess.run(command, capture_output=True, check=False)
        return
    for end, number in ((os.killpg, pid), (os.kill, pid)):
        try:
            end(number, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # it leads no group, or ended by itself


def processes() -> dict[int, tuple[int, int, str]]:
    """List what runs here: process id → (its parent, its session, its state). Plumbing.

    A session has the id of the process that opened it (macOS: the group, instead). The
    state is a letter; Z is a process that has ended and waits to be counted.
    """
    if _WINDOWS:
        return {}
    if not Path("/proc/self/stat").exists():  # macOS
        command = ["ps", "-A", "-o", "pid=,ppid=,pgid=,stat="]
        listed = subprocess.run(command, capture_output=True, text=True, check=True)
        rows = [line.split() for line in listed.stdout.splitlines()]
        return {int(p): (int(up), int(own), state[0]) for p, up, own, state in rows}
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:  # "12 (a name) S 1 …"; the name may hold anything
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        state, parent, _, session = fields[:4]
        found[int(folder.name)] = (int(parent), int(session), state)
    return found


def _descendants(roots: set[int]) -> set[int]:
    """Give the children of `roots`, who is in their sessions, and so on."""
    listed, found, grows = processes(), set(roots), True
    while grows:
        more = {p for p, (up, own, _) in listed.items() if {up, own} & found} - found
        found |= more
        grows = bool(more)
    return found


def alive(pids: Iterable[int]) -> list[int]:
    """Give those of the processes that still run, and their sessions'. Plumbing."""
    pids, listed = set(pids), processes()
    return sorted(
        pid
        for pid, (_, session, state) in listed.items()
        if state != "Z" and {pid, session} & pids
    )


# --- what went wrong ------------------------------------------------------------------


def _worker_log(logs: Path, rank: int, stream: str) -> str:
    found = list(logs.glob(f"workers/*/attempt_0/{rank}/{stream}.log"))
    return found[0].read_text(encoding="utf-8", errors="replace") if found else ""


def _why(
    name: str, logs: Path, code: int | None, n: int, timeout: float, port: int | None
) -> str:
    """Say in a few lines what happened, with the last words of the one who began."""
    said = (logs / "launcher").read_text(encoding="utf-8", errors="replace")
    if "EADDRINUSE" in said or "address already in use" in said:
        return _port_message(port)
    if code is None:
        heads = [
            f"{name}: not finished after {timeout:g} seconds. All {n} workers were"
        ]
        heads += ["stopped. Does one of them wait for another that never comes?"]
        words = [(f"worker {r}", _worker_log(logs, r, "stdout")) for r in range(n)]
        return " ".join(heads) + "".join(_last_words(who, w, 1) for who, w in words)
    ends = {int(rank): int(end) for rank, end in _FAILURE.findall(said)}
    rank = _first_failed(logs, ends)
    if rank is None:
        return f"{name}: torchrun ended with code {code}" + _last_words(
            "torchrun", said
        )
    words = _worker_log(logs, rank, "stderr")
    how = _how_it_ended(ends.get(rank, 1), words)
    return f"{name}: worker {rank} of {n} {how}; the others were stopped" + _last_words(
        f"worker {rank}", words
    )


def _how_it_ended(code: int, words: str) -> str:
    if "Traceback" in words:  # after which it may well be aborted, or not
        return "raised an error"
    if code >= 0:
        return f"ended with code {code}"
    return f"was killed by {signal.Signals(-code).name}"


def _first_failed(logs: Path, ends: dict[int, int]) -> int | None:
    """Find who began: one who ended without a word, else the first traceback.

    When one worker is gone, the others lose their connection and fail as well, and
    torchrun may notice them first.
    """
    cries = {
        int(path.parent.name): path.stat().st_mtime_ns
        for path in logs.glob("workers/*/attempt_0/*/stderr.log")
        if "Traceback" in path.read_text(encoding="utf-8", errors="replace")
    }
    stopped = -signal.SIGTERM  # by torchrun, after somebody else began
    silent = [r for r, end in ends.items() if end != stopped and r not in cries]
    if silent:
        return silent[0]
    return min(cries, key=cries.get, default=next(iter(ends), None))


def _last_words(who: str, text: str, n: int = _LAST_LINES) -> str:
    text = re.sub(r"^\[rank\d+\]: ?", "", text, flags=re.M)  # torch names the rank, too
    # What C++ adds when an interpreter with open connections goes down.
    text = re.split(r"^terminate called", text, maxsplit=1, flags=re.M)[0]
    text = text.replace(str(Path.cwd()) + os.sep, "")
    lines = [line for line in text.splitlines() if line.strip(" ^~")][-n:]
    return "".join(f"\n  {who} | {line}" for line in lines)
