"""docs/client.md is compared with the client."""

import inspect
import re
from pathlib import Path

from fitserve import Client

PAGE = (Path(__file__).parents[3] / "docs/client.md").read_text()


def line_of(place, call):
    parameters = ", ".join(
        f"**{name}" if p.kind is p.VAR_KEYWORD else name
        for name, p in inspect.signature(call).parameters.items()
    )
    sentence = re.split(r"[.;:] |\.\n|\.$", inspect.getdoc(call))[0]
    return f"| `{place}({parameters})` | {' '.join(sentence.split())} |"


def test_every_call_is_in_the_table_and_nothing_else():
    """Name, arguments, the first sentence of its docstring."""
    client = Client()
    expected = [
        line_of(f"{noun}.{name}", getattr(getattr(client, noun), name))
        for noun in ("datasets", "runs", "models")
        for name in vars(type(getattr(client, noun)))
        if not name.startswith("_")
    ]
    shown = re.findall(r"^\| `(?:datasets|runs|models)\..*\|$", PAGE, re.MULTILINE)
    assert shown == expected
