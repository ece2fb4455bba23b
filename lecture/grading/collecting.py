"""Who handed in what: files and folders, as they come from people and platforms.

Nobody is left out: all that lies in the folder belongs to somebody, and what is not
graded is named in a remark. No link is followed, and nothing is unpacked.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from tools.notebooks import COURSE

from .mending import LINE, Wanted, answered_in, found_in, opened, wanted

# What systems leave behind; so are all names that begin with a dot.
NOBODYS = {"__macosx", "thumbs.db", "desktop.ini", "lost+found", "$recycle.bin"}
ARCHIVE = re.compile(r"\.(zip|7z|rar|tar|t?gz|bz2|xz)$", re.I)
ENDING = re.compile(r"(\.ipynb|\.tar)?\.[^. ]*$", re.I)
COPY = re.compile(r"^copy of |(?: ?\(\d+\)|[-_ ]+copy(?: ?\(?\d+\)?)?)+$", re.I)
# Moodle's and Blackboard's names for what somebody handed in.
PLATFORMS = (
    re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_.*", re.S),
    re.compile(r"(?P<name>.+)_attempt_\d{4}-\d\d-\d\d.*", re.S),
)
ALL_IN_ONE = "if these are of several students, SUBMISSIONS is the folder inside"
SIGNS = " _.@'()&,+-"  # that may stand in the name of a student


@dataclass(frozen=True)
class Owner:
    """Somebody, as named by a file or a folder; platforms add a number."""

    name: str
    number: str = ""


@dataclass
class Handed:
    """What somebody handed in: the notebook to grade, if there is one; what to say."""

    student: str
    path: Path | None = None
    remarks: list[str] = field(default_factory=list)
    count: int = 0  # of all the notebooks that belong to this one
    is_stray: bool = False  # a file that is no notebook, and nobody's folder


@dataclass
class Pile:
    """All that belongs to one person."""

    folder: Path
    notebooks: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, path: Path) -> None:
        """Sort a file, or all that is in a folder."""
        if path.is_symlink():
            self.remarks.append(f"a link, not followed: {self.shown(path)}")
        elif path.is_dir():
            self.walk(path)
        elif path.suffix.lower() == ".ipynb":
            self.notebooks.append(path)
        else:
            self.others.append(path)

    def walk(self, folder: Path) -> None:
        """Sort what is in a folder; if it cannot be read, say so."""
        try:
            for path in sorted(folder.iterdir()):
                if not is_nobodys(path.name):
                    self.add(path)
        except OSError as why:
            said = f"cannot be read ({type(why).__name__}): {self.shown(folder)}"
            self.remarks.append(said)

    def shown(self, path: Path) -> str:
        """A path for a table."""
        return readable(str(path.relative_to(self.folder)))

    def listed(self, paths: list[Path]) -> str:
        """Some paths for a table."""
        names = [self.shown(path) for path in paths]
        return ", ".join(names[:4] + [f"{len(names) - 4} more"] * (len(names) > 4))


# --- who ------------------------------------------------------------------------------


def is_nobodys(name: str) -> bool:
    """Whether a system left this behind."""
    return name.startswith(".") or name.lower() in NOBODYS


def owner_of(path: Path) -> Owner:
    """Whose a file or a folder is, by its name."""
    is_folder = path.is_dir() and not path.name.lower().endswith(".ipynb")
    name = path.name if is_folder else ENDING.sub("", path.name)
    name = unicodedata.normalize("NFC", name)
    for platform in PLATFORMS:
        if found := platform.fullmatch(name):
            return Owner(**found.groupdict())
    return Owner(name)


def readable(text: str) -> str:
    """A name without what cannot be written, or is no sign but an order."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def plain_name(name: str) -> str:
    """A name as nbgrader, shells and spreadsheets take it."""
    kept = (
        c if unicodedata.category(c)[0] in "LMN" or c in SIGNS else "_" for c in name
    )
    one_line = re.sub(r" +", " ", "".join(kept))
    return re.sub(r"^[\W_]+", "", one_line)[:80].strip(" .") or "nameless"


def students(owners: list[Owner]) -> dict[Owner, str]:
    """A name for each; those that would be the same get their number, or a new one."""
    named = {owner: plain_name(owner.name) for owner in owners}
    count = Counter(named.values())
    for owner, name in named.items():
        if count[name] > 1 and owner.number:
            named[owner] = f"{name}_{owner.number}"
    found: dict[Owner, str] = {}
    # Who is called so exactly keeps the name.
    for owner in sorted(owners, key=lambda o: (named[o] != o.name, o.name, o.number)):
        name, k = named[owner], 2
        while name in found.values():
            name, k = f"{named[owner]}-{k}", k + 1
        found[owner] = name
    return found


def alike(owner: Owner, named: dict[Owner, str]) -> list[str]:
    """Remarks on a name: how it came about, and who is called nearly so."""
    own, said = named[owner], []
    if own == f"{plain_name(owner.name)}_{owner.number}":
        count = sum(other.name == owner.name for other in named)
        said.append(f"{count} are called {plain_name(owner.name)}")
    elif own != owner.name:
        said.append(f"handed in as {readable(owner.name)!r}")
    twins = sorted(name for other, name in named.items() if are_alike(owner, other))
    if twins:
        said.append(f"the same as {' and '.join(twins)}?")
    return said


def are_alike(one: Owner, other: Owner) -> bool:
    """Whether one is called as the other is, but for case and what copies add."""
    if one == other or (one.number and other.number):  # a platform tells them apart
        return False
    names = [plain_name(owner.name).casefold() for owner in (one, other)]
    without = {COPY.sub("", name) for name in names}
    return len(without) == 1 and bool(without & set(names))


# --- what -----------------------------------------------------------------------------


def handed_in(folder: Path, released: NotebookNode, name: str) -> list[Handed]:
    """What everybody handed in; raises ValueError if there is nothing at all."""
    owned: dict[Owner, list[Path]] = {}
    try:
        for path in sorted(folder.iterdir()):
            if not is_nobodys(path.name):
                owned.setdefault(owner_of(path), []).append(path)
    except OSError as why:
        raise ValueError(f"{folder} cannot be read: {why.strerror}") from None
    if not owned:
        raise ValueError(f"no notebook in {folder}: nothing was handed in")
    named = students(list(owned))
    asked = wanted(released)
    found = []
    for owner, own in owned.items():
        one = handed_by(named[owner], folder, own, asked, name)
        one.remarks = alike(owner, named) + one.remarks
        found.append(one)
    if len(found) == 1 and found[0].count > 1:
        found[0].remarks.append(ALL_IN_ONE)
    return sorted(found, key=lambda one: one.student)


def handed_by(
    student: str, folder: Path, paths: list[Path], asked: list[Wanted], name: str
) -> Handed:
    """What one person handed in; whatever is strange in it ends in a remark."""
    pile = Pile(folder)
    try:
        for path in paths:
            pile.add(path)
        path = chosen(pile, asked, name)
    except Exception as why:  # whatever it is, it stops nobody else
        pile.remarks.append(f"cannot be looked through ({type(why).__name__})")
        path = None
    is_stray = not pile.notebooks and not any(p.is_dir() for p in paths)
    return Handed(student, path, pile.remarks, len(pile.notebooks), is_stray)


def chosen(pile: Pile, asked: list[Wanted], name: str) -> Path | None:
    """The notebook to grade; what is not taken is said."""
    if not pile.notebooks:
        pile.remarks.append(nothing(pile))
        return None
    ranked = sorted(
        ((rank(path, asked, name), path) for path in pile.notebooks), reverse=True
    )
    (best, path), *rest = ranked
    left = [p for r, p in rest if any(r[:2]) or not is_anothers(p, name)]
    left += [p for p in pile.others if ARCHIVE.search(p.name) or ".ipynb" in p.name]
    if left:
        said = f"graded: {pile.shown(path)}; not looked at: {pile.listed(left)}"
        pile.remarks.append(said)
    return path


def nothing(pile: Pile) -> str:
    """What to say where there is no notebook."""
    packed = [p for p in pile.others if ARCHIVE.search(p.name)]
    if packed:
        return f"no notebook; to be unpacked first: {pile.listed(packed)}"
    if pile.others:
        return f"no notebook, but {pile.listed(pile.others)}"
    return "no notebook"


def rank(path: Path, asked: list[Wanted], name: str) -> tuple:
    """What speaks for a notebook: answers, exercises, its name, its date."""
    stem, name = ENDING.sub("", path.name).casefold(), name.casefold()
    wears = [stem == name, COPY.sub("", stem) == name, name in stem, True]
    named = len(wears) - wears.index(True)
    try:
        notebook, date = opened(path), path.stat().st_mtime
    except (ValueError, OSError):
        return 0, 0, named, False, 0.0
    answers, exercises = answered_in(notebook, asked), found_in(notebook, asked)
    return len(answers), len(exercises), named, True, date


def is_anothers(path: Path, name: str) -> bool:
    """Whether a notebook is called like another one of the course."""
    return path.stem in COURSE and path.stem != name


def lacking(notebook: NotebookNode, asked: list[Wanted]) -> list[str]:
    """Remarks on the exercises that are not in a notebook."""
    found = found_in(notebook, asked)
    lost = [w.number for w in asked if w.number not in found]
    if not lost:
        return []
    if found:
        return [f"not in it: {', '.join(lost)}"]
    own = asked[0].number[:2]
    text = "\n".join(cell.source for cell in notebook.cells)
    other = sorted({f"{int(n):02d}" for n, _ in LINE.findall(text)} - {own})
    but = f", but of {', '.join(other)}" if other else ""
    return [f"it holds no exercise of {own}{but}"]
