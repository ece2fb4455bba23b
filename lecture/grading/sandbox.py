"""A room for a student's kernel: its own user, home and folder, and nothing else.

Linux only, with what every Linux has: `unshare` gives the kernel a view of the machine
of its own, in which the checkout is replaced by a copy of the package without any
solution, there is no network, and other processes cannot be seen. `setpriv` takes all
privileges away. Started by root, the code runs as a user that nobody is; started by
somebody else, it runs as a user of its own making who sees no home directory.

    python sandbox.py ROOM      (run by `unshare`, inside the new view)
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOBODYS = 64_999  # user and group of the student's code, if root starts it
NEEDED = ("unshare", "setpriv", "mount")
# The same code may use this much, whoever wrote it.
MEMORY = 4 * 2**30
LIMITS = {
    "RLIMIT_DATA": MEMORY,
    "RLIMIT_CPU": 1800,
    "RLIMIT_FSIZE": 100 * 2**20,
    "RLIMIT_NPROC": 256,
    "RLIMIT_NOFILE": 1024,
    "RLIMIT_CORE": 0,
}
FRONT = '''"""What a graded notebook may call: the answers come from outside."""


class Later:
    """Nothing is judged in here."""

    mistake = None

    def __bool__(self):
        return False

    def __repr__(self):
        return "judged when graded"


def check(number, answer, **kwargs):
    """Leave judging to those outside."""
    return Later()


def hint(*args):
    """Give nothing away."""
    return Later()


solution = progress = hint
'''


def missing() -> str:
    """One line that says what is missing here, or nothing."""
    if not sys.platform.startswith("linux"):
        return "grading runs students' code in a room that only Linux has; use Linux"
    lost = [name for name in NEEDED if shutil.which(name) is None]
    if lost:
        return f"{', '.join(lost)} missing; install util-linux"
    probe = subprocess.run([*namespaces(), "true"], capture_output=True, text=True)
    if probe.returncode:
        why = probe.stderr.strip().splitlines()[-1:] or ["no reason given"]
        return f"no room can be made ({why[0]}); run as root, or allow user namespaces"
    return ""


def namespaces() -> list[str]:
    """The command that makes a new view of the machine."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    own = ["--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child"]
    return ["unshare", *user, *own, "--mount-proc", "--"]


@dataclass
class Room:
    """A folder that holds all that a student's kernel may see."""

    folder: Path

    @property
    def connection(self) -> Path:
        """Where the kernel reads how to be reached."""
        return self.folder / "wire" / "kernel.json"

    @property
    def exercises(self) -> Path:
        """The package of exercises, as seen in the room."""
        return self.folder / "code" / "course_exercises"

    def command(self) -> list[str]:
        """The command that starts the kernel."""
        inside = [sys.executable, str(Path(__file__).resolve()), str(self.folder)]
        return [*namespaces(), *inside]

    def let_in(self, notebook: str) -> None:
        """Bring the exercises of a notebook in, solutions and all."""
        name = f"nb{notebook}"
        shutil.copytree(ROOT / "course_exercises" / name, self.exercises / name)

    def remove(self) -> None:
        """Throw the room away."""
        shutil.rmtree(self.folder, ignore_errors=True)


def make(secrets: list[Path]) -> Room:
    """Furnish a room in which the folders of `secrets` are not to be seen."""
    room = Room(Path(tempfile.mkdtemp(prefix="room-")))
    for name in ("code", "home", "work", "stage", "wire"):
        (room.folder / name).mkdir()
    put_package(room)
    put_notebooks(room)
    plan = {"hide": hidden(secrets), "keep": kept(), "root": os.geteuid() == 0}
    (room.folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    room.folder.chmod(0o755)
    if plan["root"]:
        for name in ("home", "work", "wire"):
            give(room.folder / name)
    return room


def give(folder: Path) -> None:
    """Give a folder to the student's user."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODYS, NOBODYS)
    folder.chmod(0o700)


def put_package(room: Room) -> None:
    """Copy the packages without a single exercise."""
    solutions = shutil.ignore_patterns("nb[0-9][0-9]", "__pycache__")
    for name in ("course_utils", "course_exercises"):
        target = room.folder / "code" / name
        shutil.copytree(ROOT / name, target, ignore=solutions)
    (room.exercises / "__init__.py").write_text(FRONT, encoding="utf-8")
    shutil.copy(Path(__file__).with_name("wire.py"), room.exercises / "wire.py")


def put_notebooks(room: Room) -> None:
    """Copy the notebooks of the course, and nothing that may lie beside them."""
    from tools.notebooks import COURSE  # not above: in the new view it is not found

    for name in (*(f"{stem}.ipynb" for stem in COURSE), "data_parallel.py"):
        if (path := ROOT / "notebooks" / name).exists():
            shutil.copy(path, room.folder / "work")


def hidden(secrets: list[Path]) -> list[str]:
    """The folders that are not to be seen, the outer ones first, each once."""
    folders = [ROOT, Path.home(), *secrets]
    found: list[Path] = []
    for folder in sorted({f.resolve() for f in folders}, key=lambda f: len(f.parts)):
        if not any(folder.is_relative_to(outer) for outer in found):
            found.append(folder)
    return [str(folder) for folder in found]


def kept() -> list[str]:
    """What has to be seen although it lies in a hidden folder: Python, and the data."""
    places = [Path(sys.prefix), Path(sys.base_prefix), ROOT / "data"]
    return [str(p.resolve()) for p in places if p.is_dir()]


# --- inside ---------------------------------------------------------------------------


def mount(*args: str) -> None:
    """Call `mount`; a failure ends everything."""
    subprocess.run(["mount", *args], check=True)


def furnish(room: Path, plan: dict) -> None:
    """Hide what is not to be seen; keep Python and the data where they were."""
    mount("--make-rprivate", "/")
    keep = [(str(room / "code"), str(ROOT))]
    for place in plan["keep"]:
        if any(Path(place).is_relative_to(h) for h in plan["hide"]):
            keep.append((place, place))
    for k, (source, _) in enumerate(keep):
        (room / "stage" / str(k)).mkdir()
        mount("--bind", source, str(room / "stage" / str(k)))
    for folder in plan["hide"]:
        if room.is_relative_to(folder):
            continue
        mount("-t", "tmpfs", "-o", "mode=755,size=1m", "hidden", folder)
    for k, (_, place) in enumerate(keep):
        Path(place).mkdir(parents=True, exist_ok=True)
        mount("--bind", str(room / "stage" / str(k)), place)


def environment(room: Path) -> dict[str, str]:
    """All that the student's code learns from outside."""
    home = str(room / "home")
    return {
        "HOME": home,
        "TMPDIR": home,
        "MPLCONFIGDIR": home,
        "XDG_CACHE_HOME": home,
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
    }


def enter(room: Path) -> None:
    """Become the student's kernel."""
    plan = json.loads((room / "plan.json").read_text(encoding="utf-8"))
    connection = Room(room).connection
    if plan["root"]:
        os.chown(connection, NOBODYS, NOBODYS)
    furnish(room, plan)
    os.chdir(room / "work")
    for name, value in LIMITS.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
    ids = [f"--reuid={NOBODYS}", f"--regid={NOBODYS}", "--clear-groups"]
    drop = ["setpriv", *(ids if plan["root"] else []), "--no-new-privs"]
    drop += ["--bounding-set=-all", "--inh-caps=-all", "--"]
    start = [sys.executable, "-m", "ipykernel_launcher", "-f", str(connection)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what the kernel itself says is said to nobody
        os.dup2(nowhere, stream)
    os.execvpe(drop[0], [*drop, *start], environment(room))


if __name__ == "__main__":
    enter(Path(sys.argv[1]))
