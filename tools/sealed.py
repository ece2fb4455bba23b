"""Run a command where nothing can be written that should not be, and nothing reached.

    make sealed        `make test`, sealed

Linux only, with what every Linux has: `unshare` makes namespaces in which this process
may mount and configure, and the rest of the machine sees nothing of it. In there

- every file system is read-only, the home directory and the checkout among them; what
  can be written is a fresh scratch folder (TMPDIR, the cache, Jupyter's runtime files)
  and `notebooks/`, which is a copy that is thrown away;
- there is no network but the loopback, and whoever listens on more than the loopback is
  noted.

First it tries to break its own seal, since a seal that does not hold proves nothing.
It fails if the command does, or if something listened beyond localhost. One program
may: torchrun, for the seconds in which its workers meet. torch opens that port on every
interface, and has no setting for it.
"""

from __future__ import annotations

import array
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INSIDE = "COURSE_SEALED"  # names the scratch folder to the process inside
# Not storage: devices, and the kernel's view of itself.
NOT_FILES = ("/proc", "/sys", "/dev")
LOOPBACK_V6 = "00000000000000000000000001000000"
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
LISTEN = "0A"
LOOK = 0.05  # seconds between two looks at who listens


def unshared(scratch: str, command: list[str]) -> int:
    """Start this program again, in namespaces of its own."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    start = ["unshare", *user, "--mount", "--net", "--", sys.executable, "-m"]
    return subprocess.run(
        [*start, "tools.sealed", *command],
        cwd=ROOT,
        env={**os.environ, INSIDE: scratch},
    ).returncode


# --- the seal -------------------------------------------------------------------------


def mount(*args: str) -> None:
    """Call `mount`; a failure ends everything."""
    subprocess.run(["mount", *args], check=True)


def mounts() -> list[str]:
    """List where file systems are mounted, in the order of mounting."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    octal = ("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")
    found = []
    for place in (line.split()[4] for line in lines):
        for code, character in octal:
            place = place.replace(code, character)
        found.append(place)
    return list(dict.fromkeys(found))


def seal_files(scratch: Path) -> None:
    """Leave the scratch folder and a copy of the notebooks writable, no more."""
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "-o", "mode=755", "sealed", str(scratch))
    for name in ("home-cache", "tmp", "jupyter", "ipython"):
        (scratch / name).mkdir()
    (scratch / "tmp").chmod(0o1777)
    ours = ROOT / "notebooks"
    fresh = shutil.ignore_patterns(".*", "progress.json*")
    shutil.copytree(ours, scratch / "notebooks", ignore=fresh)
    mount("--bind", str(scratch / "notebooks"), str(ours))
    open_places = (str(scratch), str(ours))
    for place in mounts():
        if place not in open_places and not place.startswith(NOT_FILES):
            mount("-o", "remount,bind,ro", place)


def loopback_up() -> None:
    """Switch `lo` on: a new network namespace has it, but off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = array.array("B", struct.pack("16sH14s", b"lo", 0, b""))
        fcntl.ioctl(s, SIOCGIFFLAGS, request, True)
        flags = struct.unpack("16sH14s", request)[1] | IFF_UP
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", flags, b""))


def environment(scratch: Path) -> dict[str, str]:
    """Say where caches and runtime files go; HOME stays, and cannot be written."""
    return {
        **os.environ,
        "TMPDIR": str(scratch / "tmp"),
        "XDG_CACHE_HOME": str(scratch / "home-cache"),
        "MPLCONFIGDIR": str(scratch / "home-cache"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "jupyter"),
        "IPYTHONDIR": str(scratch / "ipython"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(scratch / "hypothesis"),
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


# --- does it hold? --------------------------------------------------------------------


def leaks() -> list[str]:
    """Try to write and to reach what must not be; name what went through."""
    found = []
    for folder in (Path.home(), ROOT, ROOT / "data", ROOT / "tests", Path("/tmp")):
        probe = folder / ".sealed-probe"
        try:
            probe.touch()
        except OSError:
            continue
        probe.unlink()
        found.append(f"{folder} can be written")
    try:  # an address of the block for documentation: nobody is there
        socket.create_connection(("192.0.2.1", 80), timeout=3).close()
        found.append("the network can be reached")
    except TimeoutError:
        found.append("packets leave the machine")
    except OSError:
        pass
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=3).close()
    return found


def listening(table: str) -> dict[int, str]:
    """Give port → inode in /proc/net/tcp or tcp6 that listen beyond the loopback."""
    rows = (line.split() for line in table.splitlines()[1:])
    open_ones = ((row[1].split(":"), row[3], row[9]) for row in rows)
    return {
        int(port, 16): inode
        for (address, port), state, inode in open_ones
        if state == LISTEN and not (address.endswith("7F") or address == LOOPBACK_V6)
    }


def owner(inode: str) -> Path | None:
    """Find the process that holds a socket, as its folder in /proc."""
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link) == f"socket:[{inode}]":
                return link.parents[1]
        except OSError:  # it has ended meanwhile
            continue
    return None


def of_torchrun(process: Path | None) -> bool:
    """Whether a process is torchrun, or was started by it."""
    try:
        while process is not None and process.name != "0":
            words = (process / "cmdline").read_bytes()
            if b"torchrun" in words or b"torch.distributed" in words:
                return True
            stat = (process / "stat").read_text(encoding="utf-8")
            process = process.parent / stat.rsplit(")", 1)[1].split()[1]
    except OSError:
        pass
    return False


def watch(ports: dict[int, bool], stop: threading.Event) -> None:
    """Note who listens beyond localhost, port → torchrun's or not, until `stop`."""
    while not stop.wait(LOOK):
        for name in ("tcp", "tcp6"):
            found = listening(Path("/proc/net", name).read_text(encoding="ascii"))
            for port in found.keys() - ports.keys():
                ports[port] = of_torchrun(owner(found[port]))


def below(folder: Path) -> set[str]:
    """Name all files in a folder and further down."""
    return {str(x.relative_to(folder)) for x in folder.rglob("*") if x.is_file()}


def run_sealed(scratch: Path, command: list[str]) -> int:
    """Seal, try the seal, run the command, and say who listened."""
    seal_files(scratch)
    loopback_up()
    if found := leaks():
        print(f"sealed: the seal does not hold: {'; '.join(found)}", file=sys.stderr)
        return 2
    given = below(scratch / "notebooks")
    ports, stop = {}, threading.Event()
    watcher = threading.Thread(target=watch, args=(ports, stop))
    watcher.start()
    try:
        code = subprocess.run(command, env=environment(scratch)).returncode
    finally:
        stop.set()
        watcher.join()
    new = sorted(below(scratch / "notebooks") - given)
    print(f"sealed: written beside the notebooks: {new or 'nothing'}")
    bad = sorted(port for port, torchruns in ports.items() if not torchruns)
    print(f"sealed: listened for torchrun's workers: {len(ports) - len(bad)} ports")
    print(f"sealed: listened beyond localhost: {bad or 'nobody'}")
    return code or int(bool(bad))


def main(command: list[str]) -> int:
    """Run `command` sealed; its exit code, or 1 if something listened."""
    if inside := os.environ.pop(INSIDE, None):
        return run_sealed(Path(inside), command)
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        print("sealed: this needs Linux and its `unshare`", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="sealed-") as scratch:
        return unshared(scratch, command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
