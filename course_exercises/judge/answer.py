"""What a student sees: an answer that is true only if the exercise is passed."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

SIGNS = {"passed": "✓ passed", "not attempted": "○ not attempted yet"}
COLOURS = {"passed": "#009e73", "not attempted": "#888888"}  # Okabe–Ito, and grey
_TABLE = "border-collapse:collapse;margin:4px 0;color:inherit;font-size:inherit"
WRONG_SIGN, WRONG_COLOUR = "✗ not yet", "#d55e00"


@dataclass(frozen=True)
class Finding:
    """One named mistake: what it is called, what to say, and how sure we are.

    Plumbing.
    """

    ids: tuple[str, ...]
    says: str
    where: str = ""
    output: str = ""
    certain: bool = True

    @property
    def confidence(self) -> str:
        """How sure we are, in words."""
        return "certain" if self.certain else "looks like"

    @property
    def notebook(self) -> str:
        """The notebook that explains it."""
        return self.where.partition("#")[0]

    @property
    def section(self) -> str:
        """The section that explains it."""
        return self.where.partition("#")[2]

    def lead(self) -> str:
        """Name the output, and the confidence."""
        return f"{self.output} · {self.confidence}" if self.output else self.confidence

    def place(self) -> str:
        """Say where it is explained."""
        if not self.where:
            return ""
        section = f", section “{self.section}”" if self.section else ""
        return f"Explained in notebook {self.notebook[:2]}{section}."

    def link(self) -> str:
        """Give the place as HTML, linked."""
        if not self.where:
            return ""
        anchor = f"#{self.section.replace(' ', '-')}" if self.section else ""
        target = html.escape(f"{self.notebook}.ipynb{anchor}", quote=True)
        # In the page's own colour, for the same reason as the text.
        style = "color:inherit;text-decoration:underline"
        return f'<a href="{target}" style="{style}">{html.escape(self.place())}</a>'


@dataclass(frozen=True)
class Answer:
    """The answer to an attempt: true if passed. Plumbing.

    `status` is one of passed, not attempted, stopped, raised, wrong arguments, returned
    None, wrong type, wrong shape, wrong value, changed its input; or not understood,
    where the call itself was at fault.
    """

    number: str
    title: str
    status: str
    says: str = ""
    findings: tuple[Finding, ...] = ()
    facts: tuple[tuple[str, str], ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether the exercise is solved."""
        return self.status == "passed"

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The ids of all mistakes that were named, each once."""
        return tuple(dict.fromkeys(name for f in self.findings for name in f.ids))

    @property
    def mistake(self) -> str | None:
        """The id of the mistake that was named first."""
        return self.mistakes[0] if self.mistakes else None

    @property
    def headline(self) -> str:
        """A sign and a word, the number and the title."""
        if not self.number:
            return ""
        sign = SIGNS.get(self.status, WRONG_SIGN)
        return f"{sign} · {self.number} · {self.title}"

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        lines = [*filter(None, [self.headline, self.says])]
        for finding in self.findings:
            said = f"[{finding.lead()}] {finding.says} {finding.place()}"
            lines.append(said.rstrip())
        width = max((len(name) for name, _ in self.facts), default=0)
        lines += [f"  {name:<{width}}  {value}" for name, value in self.facts]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        colour = COLOURS.get(self.status, WRONG_COLOUR)
        # The text keeps the page's own colour: one colour cannot stand out on both a
        # light and a dark page.
        parts = [f"<b>{html.escape(self.headline)}</b>"] if self.headline else []
        parts += [_paragraph(marked(self.says))] if self.says else []
        parts += [_paragraph(_html_finding(f)) for f in self.findings]
        parts += [_html_facts(self.facts)] if self.facts else []
        style = f"border-left:4px solid {colour};padding:2px 0 2px 12px;margin:4px 0"
        return f"<div style='{style}'>{''.join(parts)}</div>"


def _paragraph(inside: str) -> str:
    return f"<div style='margin:4px 0;max-width:46em'>{inside}</div>"


def marked(text: str) -> str:
    """Escape a text; set `code` and *stress*, leave math alone. Plumbing."""
    pieces = html.escape(text, quote=False).split("`")
    return "".join(
        f"<code>{p}</code>" if k % 2 else _stressed(p) for k, p in enumerate(pieces)
    )


def _stressed(text: str) -> str:
    pieces = text.split("$")
    pieces[::2] = [re.sub(r"\*(\w[^*]*)\*", r"<em>\1</em>", p) for p in pieces[::2]]
    return "$".join(pieces)


def _html_finding(finding: Finding) -> str:
    lead = f"<b>{html.escape(finding.lead())}:</b>"
    return " ".join(filter(None, [lead, marked(finding.says), finding.link()]))


def _html_facts(facts: tuple[tuple[str, str], ...]) -> str:
    style = "text-align:left;padding:1px 10px 1px 0;background:none"
    rows = "".join(
        f"<tr style='background:none'><td style='{style}'>{html.escape(name)}</td>"
        f"<td style='{style};font-family:monospace'>{html.escape(value)}</td></tr>"
        for name, value in facts
    )
    return f"<table style='{_TABLE}'>{rows}</table>"
