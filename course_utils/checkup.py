"""The set-up check: what is here, what the course needs, and how to mend the rest.

    python -m course_utils.checkup

Standard library alone, in the syntax of Python 3.6: this has to run where nothing else
does. What is needed is read from pyproject.toml, or, where that cannot be, from the
metadata of what was installed.
"""

import html
import os
import re
import sys
from pathlib import Path

_PYTHON = "3.11"  # where nobody else can tell; a test holds it to pyproject.toml
if sys.version_info < (3, 8):  # noqa: UP036 (without importlib.metadata: no more to see)
    raise SystemExit(
        "The course needs Python {} or newer; this is {}.{}.{}. "
        "Mend: make clean, then make lab PYTHON=python3.12 (or a newer one)".format(
            _PYTHON, *sys.version_info[:3]
        )
    )

from dataclasses import dataclass, field  # noqa: E402 (3.6 has none)

_PROJECT = "backpropagation-from-scratch"
_ROOT = Path(__file__).resolve().parents[1]
_IMPORTED_AS = {"scikit-learn": "sklearn"}
_DEV = "only to change the course"
_TIMEOUT = 300  # seconds for importing everything, on a cold disk
_MARK = "checked: "
_PROBE = f"""
import importlib, json, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        said = ""
    except BaseException as error:
        said = f"{{type(error).__name__}}: {{error}}"
    print({_MARK!r} + json.dumps([name, said]), flush=True)
"""


@dataclass
class Line:
    """One thing looked at; `status` is ok, missing, too old, damaged or not checked.

    Plumbing.
    """

    group: str
    name: str
    status: str
    found: str
    needed: str
    mend: str = ""


@dataclass
class Setup:
    """What the check found: truthy when every notebook can run.

    Plumbing.
    """

    lines: list = field(default_factory=list)

    @property
    def problems(self) -> list:
        """The lines that stand in the way of running the notebooks."""
        return [x for x in self.lines if x.status != "ok" and x.group != _DEV]

    @property
    def ready(self) -> bool:
        """Whether every notebook can run."""
        return bool(self.lines) and not self.problems

    def __bool__(self) -> bool:
        return self.ready

    def headline(self) -> str:
        """Say in one sentence how it stands."""
        if self.ready:
            return "Everything is ready."
        names = ", ".join(line.name for line in self.problems)
        return f"Not ready yet. To mend, from top to bottom: {names}."

    def __repr__(self) -> str:
        rows = [("", "what", "found", "needed")]
        rows += [(x.status, x.name, x.found, x.needed) for x in self.lines]
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        text = [self.headline(), ""]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths)]  # noqa: B905
            text.append("  ".join([*cells, row[3]]).rstrip())
        for line in self.lines:
            if line.mend:
                text += [
                    "",
                    f"{line.name}: {line.status}. To mend:",
                    f"    {line.mend}",
                ]
        return "\n".join(text)

    def _repr_html_(self) -> str:
        head = "".join(_cell("th", x) for x in ("", "what", "found", "needed", "mend"))
        rows = "".join(f"<tr>{_row(line)}</tr>" for line in self.lines)
        mood = html.escape(self.headline())
        return f"<p><b>{mood}</b></p><table><tr>{head}</tr>{rows}</table>"


def _cell(tag: str, inside: str) -> str:
    style = "text-align:left;vertical-align:top;padding:2px 10px"
    return f'<{tag} style="{style}">{inside}</{tag}>'


def _row(line: Line) -> str:
    good = line.status == "ok"
    # A mark and a word besides the colour: it is read in grey, too.
    color, mark = ("#00664B", "✓") if good else ("#A33F00", "✗")
    status = f'<b style="color:{color}">{mark} {html.escape(line.status)}</b>'
    words = [html.escape(x) for x in (line.name, line.found, line.needed)]
    mend = f"<code>{html.escape(line.mend)}</code>" if line.mend else ""
    return "".join(_cell("td", x) for x in (status, *words, mend))


def check_setup() -> Setup:
    """Look at Python, at each package that the course needs, and at the data files.

    Takes some seconds: each package is really imported, in a process of its own, so
    that a broken one can neither stop nor change this one. Nothing is mended; the
    command that would is named. Raises nothing that a broken set-up may cause.
    Plumbing.
    """
    if sys.platform in ("wasi", "emscripten"):
        return Setup(_browser_lines())
    course, python, packages = _needs()
    needed = [p for p in packages if not p[2]]
    lines = [_python_line(python), course]
    lines += _package_lines([p[:2] for p in needed])
    lines += _data_lines()
    # The peers of the benchmarks (extra "bench") live in an environment of their own.
    return Setup(lines + _dev_line([p[:2] for p in packages if p[2] == "dev"]))


def _browser_lines() -> list:
    """In a browser Python comes whole, or not at all; nothing can be installed."""
    lines = [_python_line(_PYTHON)]
    for name in ("numpy", "matplotlib", "tqdm"):
        found = __import__(name).__version__
        lines.append(Line("packages", name, "ok", found, "what the page brings along"))
    stored = "their cells show what is stored"
    lines.append(Line("packages", "torch, scikit-learn", "ok", "not here", stored))
    return lines + _data_lines()


# --- what is needed -------------------------------------------------------------------


def _needs() -> tuple:
    """Give a line on the course itself, the least Python, and all packages.

    Those of pyproject.toml: what was installed with an older one knows less.
    """
    line, python, packages = _needs_of_installed()
    return (line, *(_needs_of_source() or (python, packages)))


def _needs_of_installed() -> tuple:
    from importlib import metadata

    try:
        course = metadata.distribution(_PROJECT)
    except metadata.PackageNotFoundError:
        mend = f'{_pip()} install --no-deps -e "{_ROOT}"'
        missing = "missing", "not installed here"
        return Line("course", "the course", *missing, "", mend), _PYTHON, []
    line = Line("course", "the course", "ok", course.version, "")
    python = course.metadata["Requires-Python"] or ""
    return line, _least(python), [_read_need(x) for x in course.requires or []]


def _needs_of_source() -> tuple:
    """Read pyproject.toml, where it lies beside and Python is new enough to read it."""
    try:
        import tomllib

        text = (_ROOT / "pyproject.toml").read_text(encoding="utf-8")
    except (ImportError, OSError):
        return ()
    project = tomllib.loads(text)["project"]
    packages = [_read_need(x) for x in project["dependencies"]]
    dev = project["optional-dependencies"]["dev"]
    packages += [(*_read_need(x)[:2], "dev") for x in dev]
    return _least(project["requires-python"]), packages


def _read_need(text: str) -> tuple:
    """Split 'numpy>=2.0; extra == "dev"' into name, least version and extra."""
    what, _, marker = text.partition(";")
    extra = re.search(r"extra\s*==\s*['\"]([\w-]+)", marker)
    name = re.match(r"\s*([\w.-]+)", what).group(1)
    return name, _least(what), extra.group(1) if extra else ""


def _least(specifier: str) -> str:
    """Give the version after >=, or nothing."""
    found = re.search(r">=\s*([\d.]+)", specifier)
    return found.group(1) if found else ""


def _number(version: str) -> tuple:
    """Make '2.13.0+cpu' (2, 13): numbers only, so a release candidate counts as one."""
    found = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(x) for x in found.group().split(".")] if found else [0]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


# --- Python and packages --------------------------------------------------------------


def _quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path


def _pip() -> str:
    """Name the installer of this very Python; an environment of uv has no pip."""
    from importlib.util import find_spec

    python = _quoted(sys.executable)
    return f"{python} -m pip" if find_spec("pip") else "uv pip"


def _install(what: str, *options: str) -> str:
    command = " ".join([_pip(), "install", *options, f'"{what}"'])
    if command.startswith("uv "):
        command = command.replace("--force-reinstall", "--reinstall")
        command += f" --python {_quoted(sys.executable)}"
    return command


def _python_line(least: str) -> Line:
    found = "{}.{}.{}".format(*sys.version_info[:3])
    good = _number(found) >= _number(least)
    mend = "make clean, then make lab PYTHON=python3.12 (or a newer one)"
    status = "ok" if good else "too old"
    return Line(
        "Python", "Python", status, found, _at_least(least), "" if good else mend
    )


def _at_least(version: str) -> str:
    return f"{version} or newer" if version else "any version"


def _version_line(name: str, least: str, group: str) -> Line:
    """Compare the installed version with the least one, without importing."""
    from importlib import metadata

    what, needed = (f"{name}>={least}" if least else name), _at_least(least)
    try:
        found = metadata.version(name) or ""
    except metadata.PackageNotFoundError:
        return Line(group, name, "missing", "nothing", needed, _install(what))
    if _number(found) < _number(least):
        mend = _install(what, "--upgrade")
        return Line(group, name, "too old", found, needed, mend)
    return Line(group, name, "ok", found, needed)


def _package_lines(packages: list) -> list:
    lines = [_version_line(name, least, "packages") for name, least in packages]
    first = [line.name for line in lines if line.status != "ok"]
    said = _import_all([_module(line.name) for line in lines if line.status == "ok"])
    for line in lines:
        why = said.get(_module(line.name))
        if why:
            line.status = "damaged"
            line.found += f", but importing it fails: {why}"
            what = line.name + "==" + line.found.partition(",")[0].partition("+")[0]
            line.mend = _install(what, "--force-reinstall", "--no-deps")
            if first:  # may be no more than what follows from those
                line.mend = f"mend {' and '.join(first)} first, then check again"
    return lines


def _module(name: str) -> str:
    return _IMPORTED_AS.get(name, name.replace("-", "_"))


def _import_all(modules: list) -> dict:
    """Import each in another process: what each says, '' for nothing wrong.

    If one takes that process down, it is named, and the rest get another process.
    """
    said, left = {}, modules
    while left:
        said.update(_import_some(left))
        for name in [name for name in left if name not in said][:1]:
            said[name] = "it ends Python, or takes minutes"
        left = [name for name in modules if name not in said]
    return said


def _import_some(modules: list) -> dict:
    import json
    import subprocess

    command = [sys.executable, "-c", _PROBE, *modules]
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    try:
        out = subprocess.run(command, timeout=_TIMEOUT, **how).stdout
    except subprocess.TimeoutExpired as error:
        out = error.stdout or b""
    lines = out.decode("utf-8", "replace").splitlines()
    marked = [line[len(_MARK) :] for line in lines if line.startswith(_MARK)]
    # One line each is enough: some errors come with a page of advice.
    pairs = [json.loads(text) for text in marked]
    return {name: " ".join(why.split())[:160] for name, why in pairs}


def _dev_line(packages: list) -> list:
    """Sum up in one line what only authors need, and list what is not there."""
    lines = [_version_line(name, least, _DEV) for name, least in packages]
    missing = [line for line in lines if line.status != "ok"]
    found = f"{len(lines) - len(missing)} of {len(lines)}"
    whole = Line(_DEV, "tools for authors", "ok", found, f"none; {_DEV}")
    return [whole, *missing] if lines else []


# --- data -----------------------------------------------------------------------------


def _data_lines() -> list:
    try:
        from course_utils import data  # needs NumPy
    except Exception as error:  # an old NumPy may break in any way
        why = f"{type(error).__name__}: {error}"
        mend = "mend numpy first, then check again"
        return [Line("data", "MNIST", "not checked", why, "four files", mend)]
    return [_file_line(data, name) for name in data._SHA256]


def _file_line(data: object, name: str) -> Line:
    """Look where `data.mnist` looks, in the same order, but fetch nothing."""
    needed = f"SHA-256 {data._SHA256[name][:12]}…"
    for path in (data._BUNDLED / name, data._cache_folder() / name):
        try:
            content = data._read(path, "")
        except (ValueError, OSError) as error:
            return Line(
                "data", name, "damaged", _seen(path, error), needed, _restore(path)
            )
        if content is not None:
            found = f"{len(content):,} bytes, SHA-256 as needed"
            return Line("data", name, "ok", found, needed)
    mend = _restore(data._BUNDLED / name)
    return Line("data", name, "missing", "nothing", needed, mend)


def _seen(path: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read: {error.__cause__ or error}"
    import hashlib

    content = path.read_bytes()
    return (
        f"{len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()[:12]}…"
    )


def _restore(path: Path) -> str:
    """Say how the original comes back: by git, or by deleting and downloading."""
    root = path.parents[3]
    if (root / ".git").exists():
        inside = path.relative_to(root).as_posix()
        return f"git -C {_quoted(str(root))} checkout -- {inside}"
    fetch = "from course_utils.data import mnist; mnist()"
    mend = f'{_quoted(sys.executable)} -c "{fetch}"  (downloads it)'
    delete = "del" if os.name == "nt" else "rm"
    return f"{delete} {_quoted(str(path))}, then {mend}" if path.exists() else mend


def main() -> int:
    """Print the check; 0 if everything is ready, 1 if not.

    Plumbing.
    """
    if hasattr(sys.stdout, "reconfigure"):  # a console may know no ellipsis
        sys.stdout.reconfigure(errors="replace")
    setup = check_setup()
    print(repr(setup))
    return 0 if setup.ready else 1


if __name__ == "__main__":
    sys.exit(main())
