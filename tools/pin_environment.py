"""Write environment.yml with the pins of requirements/course.lock.

    python -m tools.pin_environment

conda and Binder get Python and make; pip gets every direct dependency of
pyproject.toml in the version that the lock has for this Python. `make lock` calls it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "3.12"
ENTRY = re.compile(r"^([\w.-]+)==([^\s;\\]+)\s*(?:;\s*([^\\]+?))?\s*\\?$", re.MULTILINE)

HEAD = f"""\
# The course for conda and Binder: `conda env create -f environment.yml`, then
# `conda activate backprop`. Made by `make lock` from requirements/course.lock.
name: backprop
channels:
  - conda-forge
dependencies:
  - python={PYTHON}
  - make
  - pip
  - pip:
"""


def locked(lock: str, python: str = PYTHON) -> dict[str, str]:
    """Give name → version of all that the lock installs on Linux for this Python."""
    machine = {
        "python_version": python,
        "python_full_version": f"{python}.99",
        "sys_platform": "linux",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "implementation_name": "cpython",
    }
    return {
        str(canonicalize_name(name)): version
        for name, version, marker in ENTRY.findall(lock)
        if not marker or Marker(marker).evaluate(machine)
    }


def direct(pyproject: str) -> list[str]:
    """Give the names of all direct dependencies, those for development among them."""
    project = tomllib.loads(pyproject)["project"]
    extras = project.get("optional-dependencies", {})
    wanted = [*project["dependencies"], *extras.get("dev", [])]
    return sorted({str(canonicalize_name(Requirement(line).name)) for line in wanted})


def render(pyproject: str, lock: str) -> str:
    """Give the text of environment.yml."""
    versions = locked(lock)
    missing = [name for name in direct(pyproject) if name not in versions]
    if missing:
        raise ValueError(f"requirements/course.lock lacks {missing}; run `make lock`")
    pins = [f"      - {name}=={versions[name]}\n" for name in direct(pyproject)]
    return HEAD + "".join(pins) + "      - -e .\n"


def main() -> int:
    """Write environment.yml."""
    texts = [
        (ROOT / name).read_text(encoding="utf-8")
        for name in ("pyproject.toml", "requirements/course.lock")
    ]
    (ROOT / "environment.yml").write_text(
        render(*texts), encoding="utf-8", newline="\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
