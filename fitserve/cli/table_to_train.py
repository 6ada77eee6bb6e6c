"""Find the table of `fitserve train`, a file or a dataset, and ask for its target."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

from fitserve.cli.console import err, say
from fitserve.cli.refusals import listed
from fitserve.client import Client, DatasetNotFound
from fitserve.file_formats import HEAD_BYTES, FileFormat, format_of, stem_of
from fitserve.names import NAME_PATTERN, parse_reference, version_ref
from fitserve.number_text import rows_text
from fitserve.problems import FieldError, Problem, path_of
from fitserve.schemas.datasets import ColumnRead, DatasetPreview, DatasetRead

_LINES = (".jsonl", ".ndjson")
_MOST_SHOWN = 40
_OPTIONS = {
    ("target",): "--target",
    ("preset",): "--preset",
    ("model_name",): "--model",
    ("features", "exclude"): "--exclude",
    ("features", "as"): "--features-as",
    ("features",): "features",
    ("fit",): "--epochs",
}
"""The options of `train` by their place in a spec, longer places first.

No option is at fault if the table has no column that can be a feature.
"""


def is_table(path: Path) -> bool:
    """Return whether a file has rows, so that it is no spec.

    A spec is one JSON object. A file that ends in `.json` is a table only if each of its
    lines is an object. A pipe is a spec, because it can be read only once.
    """
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    kind = format_of(head)
    if kind == FileFormat.JSON:  # the service says how to convert an array of objects
        return True
    if kind == FileFormat.JSON_LINES:
        return path.suffix.lower() in _LINES or _has_lines(head)
    return path.suffix.lower() != ".json" and not head.lstrip().startswith(b"{")


def _has_lines(head: bytes) -> bool:
    """Return whether the first line is a whole JSON object, and others follow."""
    first, _, rest = head.strip().partition(b"\n")
    try:
        json.loads(first)
    except ValueError:
        return False
    return bool(rest.strip())


def stored_table(client: Client, path: Path) -> DatasetRead:
    """Return the dataset whose name was given instead of a file, and print its version.

    Raises ValueError if there is no such dataset, and FileNotFoundError for a path that
    cannot be the name of a dataset.
    """
    ref = str(path)
    is_name = re.fullmatch(NAME_PATTERN, parse_reference(ref).name) is not None
    if not is_name or path.suffix.lower() == ".json" or stem_of(ref) != ref:
        path.stat()  # raises FileNotFoundError
    try:
        dataset = client.datasets.get(ref)
    except DatasetNotFound as error:
        raise ValueError(
            f"The file {ref!r} does not exist. {error.problem.detail}"
        ) from error
    named = version_ref(dataset.name, dataset.version)
    say(f"no file {ref}; using the dataset {named}: {rows_text(dataset.num_rows)}", err)
    return dataset


def without_target(
    client: Client, table: Path | DatasetRead, parsing: dict[str, Any]
) -> ValueError:
    """Print the columns of a table on stderr; return the error that asks for a target."""
    found: DatasetPreview | DatasetRead
    if isinstance(table, DatasetRead):
        found, path = table, version_ref(table.name, table.version)
    else:
        found, path = client.datasets.preview(table, **parsing), str(table)
    say(f"{path} has these columns:", err)
    for column in found.columns[:_MOST_SHOWN]:
        say(f"  {_described(column)}", err)
    if (more := len(found.columns) - _MOST_SHOWN) > 0:
        say(f"  and {more:,} more", err)
    example = _example(path, found)
    return ValueError(f"--target is missing: the column to predict. {example}")


def _described(column: ColumnRead) -> str:
    why = f"; {column.left_out}" if column.left_out else ""
    return f"{column.name}: {column.type}, {column.unique:,} different values{why}"


def _example(path: str, found: DatasetPreview | DatasetRead) -> str:
    if found.suggested_target is None:
        return "No column of this table can be a target: each is an id, a date or text."
    words = ["fitserve", "train", path, "--target", found.suggested_target]
    return f"For example: {shlex.join(words)}"


def column_names(given: list[str], columns: list[str]) -> list[str]:
    """Return the names in options such as `a,b`; a name may contain a comma."""
    names: list[str] = []
    for text in given:
        names += [text] if text in columns else [one.strip() for one in text.split(",")]
    return [name for name in names if name]


def refused_options(problem: Problem) -> str:
    """Return the text of a refusal, with the option of each fault."""
    return listed(problem, _fault, "  ")


def _fault(error: FieldError) -> str:
    place = path_of(error.pointer)
    options = (name for at, name in _OPTIONS.items() if place[: len(at)] == at)
    named = next(options, error.pointer)
    hint = f" ({error.hint})" if error.hint else ""
    return f"{named}: {error.detail}{hint}"
