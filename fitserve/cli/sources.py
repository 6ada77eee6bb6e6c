"""Underline the faults of a spec in its JSON file."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from fitserve.cli.refusals import listed
from fitserve.problems import FieldError, Problem, path_of

_DECODER = json.JSONDecoder()
_WIDTH = 90  # maximum characters of a line that is shown
_BEFORE = 30  # characters before the underlined part, if the line is longer
Place = tuple[str, ...]


@dataclass(frozen=True)
class Span:
    """Offsets of a value, and of the key before it."""

    start: int
    end: int
    key: tuple[int, int] | None = None


@dataclass(frozen=True)
class Source:
    """A file with a JSON object."""

    path: Path
    text: str
    body: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Source":
        """Read a file; raise ValueError, with the place underlined, if it is not JSON."""
        text = path.read_text(encoding="utf-8-sig")
        try:
            body = json.loads(text)
        except json.JSONDecodeError as error:
            shown = excerpt(path, text, error.pos, error.pos + 1)
            raise ValueError(f"{path} is not JSON: {error.msg}\n{shown}") from error
        if not isinstance(body, dict):
            raise ValueError(f"{path} is not a JSON object")  # noqa: TRY004  usage
        return cls(path, text, body)

    def refused(self, problem: Problem) -> str:
        """Return the text of a refusal, with the line of each fault underlined."""
        found = spans(self.text)
        return listed(problem, lambda error: self._fault(error, found))

    def _fault(self, error: FieldError, found: dict[Place, Span]) -> str:
        start, end = _marked(found, error)
        lines = [excerpt(self.path, self.text, start, end)]
        lines.append(f"{error.pointer}: {error.detail}")
        lines += [error.hint] if error.hint else []
        return "\n    ".join(lines)


def spans(text: str) -> dict[Place, Span]:
    """Return the span of every value of a JSON text, by the path of the value."""
    found: dict[Place, Span] = {}
    _value(text, _skip(text, 0), (), None, found)
    return found


def _value(
    text: str,
    start: int,
    place: Place,
    key: tuple[int, int] | None,
    found: dict[Place, Span],
) -> int:
    """Store the spans of a value and of its inner values; return the end."""
    if text[start] not in "{[":
        _, end = _DECODER.raw_decode(text, start)
    else:
        at, number = _skip(text, start + 1), 0
        while text[at] not in "}]":
            inner, name = None, str(number)
            if text[start] == "{":
                name, end = _DECODER.raw_decode(text, at)
                inner = (at, end)
                at = _skip(text, end, ":")
            at = _skip(text, _value(text, at, (*place, name), inner, found), ",")
            number += 1
        end = at + 1
    found[place] = Span(start, end, key)
    return end


def _skip(text: str, at: int, mark: str = "") -> int:
    """Return the index after blanks, and after the mark between two values."""
    gap = re.compile(rf"[ \t\n\r]*(?:{mark}[ \t\n\r]*)?").match(text, at)
    return gap.end() if gap else at


def _marked(found: dict[Place, Span], error: FieldError) -> tuple[int, int]:
    """Return the span of a wrong key or value, or the start of an incomplete object."""
    place = path_of(error.pointer)
    if error.detail.startswith("got type ") and (*place, "type") in found:
        place = (*place, "type")
    span = found.get(place)
    if span is not None:
        names_key = bool(place) and error.detail.startswith(f"`{place[-1]}` is not a key")
        return span.key if span.key and names_key else (span.start, span.end)
    while place not in found:
        place = place[:-1]
    return found[place].start, found[place].start + 1


def excerpt(path: Path, text: str, start: int, end: int) -> str:
    """Return the line of `start`, underlined up to `end`, as compilers show it."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    line = text[first : last if last >= 0 else len(text)].rstrip("\r")
    number, column = text.count("\n", 0, start) + 1, start - first
    width = max(1, min(end - first, len(line)) - column)
    if len(line) > _WIDTH:
        cut = max(0, column - _BEFORE)
        line, column = line[cut : cut + _WIDTH], column - cut
        width = min(width, max(1, len(line) - column))
    line = line.replace("\t", " ")
    margin, before = " " * len(str(number)), " " * cell_len(line[:column])
    marks = "^" * max(1, cell_len(line[column : column + width]))
    return (
        f"  {path}:{number}:{start - first + 1}\n"
        f"    {number} | {line}\n"
        f"    {margin} | {before}{marks}"
    )
