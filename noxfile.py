"""The whole suite under every supported Python, and with old and new dependencies.

    make matrix                                 all sessions
    make matrix SESSIONS="locked-3.12 oldest"   some of them

- `locked-3.11` … `locked-3.15`: what the lock says, as students have it.
- `oldest`: every direct dependency at the lower bound of pyproject.toml, which for this
  reason may say only what this session has run. Python is the oldest one.
- `newest`: whatever is newest today, lock or no lock. Python is the newest one that is
  here. Where it fails and `locked` does not, the world has moved: mend it before the
  term begins.

Each runs `make test` in an environment of its own: the same tests, and strict nbval
with the same stored outputs. Interpreters are found by name, `python3.12` on the PATH
or `py -3.12`. A session whose Python is missing is left out, and named in the end;
tools/matrix.py sees to it that nothing run is no success.

`make mutants` is here as well, since it too needs an environment of its own:
tests/README.md has its results.
"""

from __future__ import annotations

from pathlib import Path

import nox

from tools.matrix import newest as newest_of

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
WITH_PIP = ["--seed"]  # as .venv has it, and as a student's environment does

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["locked", "oldest", "newest"]
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.stop_on_first_error = False


def install(session: nox.Session, *wanted: str) -> None:
    """Install what is wanted, compiled once for all kernels, and the course itself."""
    session.install("--compile-bytecode", *wanted)
    session.install("--no-build-isolation", "--no-deps", "--editable", ".")


def test(session: nox.Session) -> None:
    """Run `make test` in this session's environment instead of .venv."""
    ours = Path(session.bin).relative_to(Path.cwd()).as_posix()
    for name in ("numpy", "matplotlib", "nbval", "torch"):
        version = f"from importlib.metadata import version as v; print(v({name!r}))"
        session.log(f"{name} {session.run('python', '-c', version, silent=True)}")
    session.run("make", "test", "READY=", f"BIN={ours}", external=True)


@nox.session(python=PYTHONS, venv_params=WITH_PIP)
def locked(session: nox.Session) -> None:
    """Run everything with the versions of requirements/course.lock."""
    install(session, "--require-hashes", "-r", "requirements/course.lock")
    test(session)


@nox.session(python=PYTHONS[0], venv_params=WITH_PIP)
def oldest(session: nox.Session) -> None:
    """Run everything with the lower bounds of pyproject.toml."""
    lowest = ("--resolution", "lowest-direct", "--extra", "dev")
    install(session, *lowest, "-r", "pyproject.toml")
    test(session)


@nox.session(python=newest_of(PYTHONS), venv_params=WITH_PIP)
def newest(session: nox.Session) -> None:
    """Run everything with the newest versions of today."""
    install(session, "--upgrade", "--extra", "dev", "-r", "pyproject.toml")
    test(session)


@nox.session(python=PYTHONS[0], venv_params=WITH_PIP)
def mutants(session: nox.Session) -> None:
    """Mutate the core of the package; a mutant that no test notices survives."""
    locks = ("-r", "requirements/course.lock", "-r", "requirements/tools.lock")
    install(session, "--require-hashes", *locks)
    session.run("python", "-m", "tools.mutants", *session.posargs)
