"""Write curl and Python code that sends the example row to a model."""

import json
import shlex
from typing import Any

from core.models.description import Described
from fitserve.schemas.predict import Cell

KEY = "FITSERVE_API_KEY"


def json_text(value: Any, indent: int | None = None) -> str:
    """Return JSON that can be pasted: invisible characters are escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def shell_snippet(described: Described) -> str:
    """Return a curl command for any POSIX shell."""
    body = json_text({"instances": [described.example]}, indent=2)
    # escape the shell's quote, and the history character of interactive shells
    body = body.replace("'", "\\u0027").replace("!", "\\u0021")
    lines = [
        f"curl -sS {shlex.quote(described.url)}",
        "-H 'Content-Type: application/json'",
        *([f'-H "Authorization: Bearer ${KEY}"'] * described.wants_key),
        f"-d '{body}'",
    ]
    return " \\\n  ".join(lines) + "\n"


_PYTHON = """\
import json
{import_os}from urllib.error import HTTPError
from urllib.request import Request, urlopen

instance = {instance}
request = Request(
    {url},
    data=json.dumps({{"instances": [instance]}}).encode(),
    headers={{
        "Content-Type": "application/json",{key}
    }},
)
try:
    with urlopen(request) as response:
        answer = json.load(response)
except HTTPError as error:  # the body explains the error
    raise SystemExit(error.read().decode()) from None
print(json.dumps(answer, indent=2))
"""
_PYTHON_KEY = f"""
        "Authorization": f"Bearer {{os.environ.get('{KEY}', '')}}","""


def python_snippet(described: Described) -> str:
    """Return code for any Python 3 without other packages."""
    return _PYTHON.format(
        import_os="import os\n" * described.wants_key,
        key=_PYTHON_KEY * described.wants_key,
        instance=_python_dict(described.example),
        url=_python(described.url),
    )


_CLIENT = """\
from fitserve import Client

instance = {instance}
with Client({server}) as client:  # sends {key} if it is set
    print(client.predict({arguments}).model_dump_json(indent=2))
"""


def client_snippet(described: Described) -> str:
    """Return code for Python with `pip install fitserve`."""
    arguments = [_python(described.name), "[instance]"]
    kind, _, value = described.place.removeprefix("/").partition("/")
    if kind == "versions":
        arguments.append(f"version={value}")
    if kind == "aliases":
        arguments.append(f"alias={_python(value)}")
    return _CLIENT.format(
        instance=_python_dict(described.example),
        server=_python(described.server),
        key=KEY,
        arguments=", ".join(arguments),
    )


def _python_dict(row: dict[str, Cell]) -> str:
    lines = [f"    {_python(name)}: {_python(cell)},\n" for name, cell in row.items()]
    return "{\n" + "".join(lines) + "}"


def _python(cell: Cell) -> str:
    is_plain = isinstance(cell, str) and cell.isprintable()
    return json_text(cell) if is_plain else repr(cell)
