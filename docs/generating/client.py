"""Write the table of the Python client's calls from its docstrings."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from docs.generating.tables import filled, first_sentence, table
from fitserve import Client


def page() -> str:
    """Return docs/client.md."""
    with Client() as client:
        calls = table(("call", "does"), _rows(client))
    return filled("docs/client.md", {"calls": calls})


def _rows(client: Client) -> Iterable[tuple[str, str]]:
    for noun in ("datasets", "runs", "models"):
        group = getattr(client, noun)
        for name in vars(type(group)):
            if not name.startswith("_"):
                call = getattr(group, name)
                summary = first_sentence(inspect.getdoc(call) or "")
                yield f"`{noun}.{name}({_parameters(call)})`", summary


def _parameters(call: Callable[..., Any]) -> str:
    parameters = inspect.signature(call).parameters.items()
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return ", ".join(
        f"{stars.get(parameter.kind, '')}{name}" for name, parameter in parameters
    )
