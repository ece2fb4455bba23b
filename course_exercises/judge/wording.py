"""Matches in words: the sentences about what was found, put together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..general import SENTENCES
from .answer import Finding
from .exercise import Mistake


def told(name: str, written: Mistake | None, detail: str = "") -> tuple[str, str]:
    """The sentence about a mistake, and its place: as written, or else in general.

    Plumbing. A detail is the name of what stands in the place of something else.
    """
    says, place = SENTENCES.get(name, ("", ""))
    if name == "other-variable" and detail:
        says = f"`{detail}` stands where something else belongs; all else is right. "
        says += "Go through your lines, and ask of each name what it means."
    if written is not None and written.id == name:
        return written.sentence or says, written.where or place
    return says, place


def together(said: list[tuple[str, str]]) -> str:
    """Join the sentences about mistakes that were made together. Plumbing."""
    texts = list(dict.fromkeys(says for says, _ in said))
    if len(texts) == 1:
        return texts[0]
    numbered = (f"({n}) {text}" for n, text in enumerate(texts, start=1))
    return "Several things at once. " + " ".join(numbered)


def either(readings: Iterable[str]) -> str:
    """Offer several readings of the same numbers. Plumbing."""
    texts = list(dict.fromkeys(readings))
    if len(texts) == 1:
        return texts[0]
    numbered = (f"({n}) {text}" for n, text in enumerate(texts, start=1))
    return "Several mistakes give these numbers. " + " ".join(numbered)


def merged(findings: list[Finding], outputs: int) -> list[Finding]:
    """Say the same thing about several outputs only once. Plumbing."""
    groups: dict[tuple, list[Finding]] = {}
    for found in findings:
        groups.setdefault((found.ids, found.says, found.certain), []).append(found)
    joined = []
    for group in groups.values():
        names = ", ".join(found.output for found in group)
        joined.append(replace(group[0], output=names if outputs > 1 else ""))
    if len(joined) == 1 and joined[0].ids == ("other-output",) and len(findings) > 1:
        says = SENTENCES["order"].says
        joined = [replace(joined[0], ids=("order",), says=says, output="")]
    return joined
