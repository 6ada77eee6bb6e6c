"""Format Markdown tables, and insert them in pages."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    rule = "|" + "---|" * len(head)
    return "\n".join([_line(head), rule, *map(_line, rows)]) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def first_sentence(text: str) -> str:
    """Return the text before the first full stop, semicolon or colon, on one line."""
    return " ".join(re.split(r"[.;:]\s|\.$", text, maxsplit=1)[0].split())


def filled(name: str, tables: Mapping[str, str]) -> str:
    """Return the page with this name, with each table between its comments."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for title, content in tables.items():
        begin, end = f"<!-- generated: {title} -->\n", "<!-- end -->"
        head, found, rest = text.partition(begin)
        if not found or end not in rest:
            raise ValueError(f"{name} lacks the line {begin.strip()} or {end} after it")
        text = f"{head}{begin}\n{content}\n{end}{rest.partition(end)[2]}"
    return text
