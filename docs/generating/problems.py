"""Write the page of problems and the stub of the client's exceptions from their table."""

from textwrap import fill

from fitserve.client.errors import by_status
from fitserve.problem_types import RAISED, ProblemType, Source

INTRO = """\
# Problems

Generated from `fitserve/problem_types.py` by `python -m docs.generate`. Every error of a
native route is `application/problem+json` (RFC 9457):

```json
{"type": "/problems/invalid-spec", "title": "Invalid spec", "status": 422,
 "detail": "#/target: the dataset has no column 'qualty'.", "instance": "/v1/runs",
 "request_id": "3de3b6f61eeb753a",
 "errors": [{"pointer": "#/target", "detail": "the dataset has no column 'qualty'",
             "hint": "did you mean `quality`?"}]}
```

Each `type` has one `title`, and the last part of `type` is a heading below. `detail` says
what was received, what was expected and how to correct it. A run that failed has such a
problem in its `error`. The [last section](#exceptions-of-the-python-client) lists the
exceptions of the Python client.
"""
EXCEPTIONS = """
## Exceptions of the Python client

Each problem type is an exception of `fitserve`, a subclass of the class of its status.
Catch either of them.

| status | class | subclasses |
|---|---|---|
"""
STUB = """\
# Written by `python -m docs.generate` from fitserve/problem_types.py.
# fmt: off
# ruff: noqa: I001
from fitserve.client.errors import (
{imported},
)
from fitserve.problems import Problem

__all__ = [
{listed},
]

{classes}

def error_from_problem(problem: Problem) -> ApiError: ...
"""


def page() -> str:
    """Return docs/problems.md."""
    rows = [_row(base, kinds) for base, kinds in _by_base().items()]
    return INTRO + "".join(map(_section, ProblemType)) + EXCEPTIONS + "".join(rows)


def _section(kind: ProblemType) -> str:
    place = " on a run" if kind.source is Source.RUN else ""
    text = f"{kind.status}{place}. {kind.meaning}"
    return f"\n## {kind.slug}\n{fill(text, 90, break_on_hyphens=False)}\n"


def _by_base() -> dict[str, list[ProblemType]]:
    """Return the problem types that the client raises, by the class of their status."""
    found: dict[str, list[ProblemType]] = {}
    for kind in sorted(RAISED, key=lambda kind: kind.status):
        found.setdefault(by_status(kind.status).__name__, []).append(kind)
    return found


def _row(base: str, kinds: list[ProblemType]) -> str:
    statuses = ", ".join(dict.fromkeys(str(kind.status) for kind in kinds))
    names = ", ".join(f"`{k.error_name}`" for k in kinds if k.error_name != base)
    return f"| {statuses} | `{base}` | {names} |\n"


def stub() -> str:
    """Return fitserve/client/problem_errors.pyi."""
    names = {
        kind.error_name: base
        for base, kinds in _by_base().items()
        for kind in kinds
        if kind.error_name != base
    }
    exported = ", ".join(f'"{name}"' for name in sorted(names))
    listed = fill(exported, 86, initial_indent="    ", subsequent_indent="    ")
    bases = ", ".join(sorted(set(names.values()) | {"ApiError"}))
    imported = fill(bases, 86, initial_indent="    ", subsequent_indent="    ")
    classes = "\n".join(f"class {name}({base}): ..." for name, base in names.items())
    return STUB.format(imported=imported, listed=listed, classes=classes)
