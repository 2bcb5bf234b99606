"""Writes a result twice: Markdown for people, JSON for programs."""

import json
from datetime import date

from .files import BENCHMARKS

RESULTS = BENCHMARKS / "Results"


def table(headings, rows):
    """A Markdown table; the first column is text, the others are figures."""
    lines = ["| " + " | ".join(headings) + " |", "|---" + "|---:" * (len(headings) - 1) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def write(kind, title, machine, command, sections, data, folder=None):
    """Writes `<date>-<kind>.md` and `.json` and returns the path of the former.

    A second result of one day replaces the first.
    """
    folder = folder or RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{date.today().isoformat()}-{kind}"
    facts = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    text = f"# {title}\n\n{facts}\n- command: `{command}`\n\n" + "\n\n".join(sections) + "\n"
    stem.with_suffix(".md").write_text(text)
    whole = {"kind": kind, "machine": machine, "command": command, **data}
    stem.with_suffix(".json").write_text(json.dumps(whole, indent=1) + "\n")
    print("\n" + "\n\n".join(sections))
    return stem.with_suffix(".md")
