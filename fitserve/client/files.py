"""Predict the rows of files, and check the options for reading files."""

import json
import os
import re
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any

from fitserve.client.connections import Content
from fitserve.client.errors import ApiError, TooLarge
from fitserve.client.parts import Part, PartSize
from fitserve.client.plain_files import media_type_of
from fitserve.client.predicting import Prediction, counted
from fitserve.client.splitting import Split, fits_one_part, split, split_refused
from fitserve.client.transport import without_none
from fitserve.names import did_you_mean
from fitserve.problem_types import ProblemType
from fitserve.schemas.predict import PredictResponse
from fitserve.specs.parsing import ParsingSpec

SIZE = PartSize()
_ANSWER_SECONDS = 300.0  # a part has many rows
_LINE = re.compile(r"(\b[Ll]ine )(\d+)")


def path_of(value: Any, call: str, takes: str, hint: str) -> Path:
    """Return the path of a file; raise TypeError if the value is not a path."""
    if not isinstance(value, str | os.PathLike):
        got = type(value).__name__
        raise TypeError(f"{call}() takes the path of a file{takes}; got {got}. {hint}")
    return Path(value)


def given_options(
    call: str,
    parsing: dict[str, Any],
    known: Collection[str] = ParsingSpec.model_fields,
) -> dict[str, Any]:
    """Return the options that are not None; the service checks their values."""
    if unknown := set(parsing).difference(known):
        hint = did_you_mean(min(unknown), known)
        raise TypeError(f"{call}() has no option {min(unknown)!r}; {hint}")
    return without_none(parsing)


def as_query(options: dict[str, Any]) -> dict[str, Any]:
    """Return options as a query has them: types are JSON."""
    types = options.get("types")
    return options if types is None else {**options, "types": json.dumps(types)}


async def predict_file(
    prediction: Prediction, path: Any, parsing: dict[str, Any]
) -> PredictResponse:
    """Return one answer for all rows of a file; send a large file in parts."""
    path = path_of(path, "predict_file", "", "predict() takes rows and DataFrames")
    options = as_query(given_options("predict_file", parsing))
    outside = prediction.transport.connection.outside
    found = None
    if not await outside(fits_one_part, path, SIZE):
        found = await outside(split, path, options, SIZE)
    if found is None:
        try:
            return await _ask_whole(prediction, path, options)
        except TooLarge as error:
            found = await outside(split_refused, path, options, SIZE, error)
    try:
        return await _ask_parts(prediction, found, outside)
    finally:
        found.parts.close()


async def _ask_whole(
    prediction: Prediction, path: Path, options: dict[str, Any]
) -> PredictResponse:
    connection = prediction.transport.connection
    with await connection.outside(lambda: path.open("rb")) as file:
        kind = await connection.outside(media_type_of, file)
        return await _ask(prediction, lambda: connection.chunks(file), options, kind)


async def _ask_parts(
    prediction: Prediction, found: Split, outside: Callable[..., Any]
) -> PredictResponse:
    parts, part = found
    while part is not None:
        answer = await _ask_part(prediction, part)
        part = await outside(parts.next, answer.parsing or {})
    prediction.answer.parsing = parts.parsing
    return prediction.answer


async def _ask_part(prediction: Prediction, part: Part) -> PredictResponse:
    async def content() -> AsyncIterator[bytes]:
        yield part.content

    try:
        return await _ask(prediction, content, part.options)
    except ApiError as error:
        raise _placed(error, part.lines_moved) from None


async def _ask(
    prediction: Prediction,
    content: Content,
    options: dict[str, Any],
    media_type: str = "text/csv",
) -> PredictResponse:
    return await prediction.ask(
        {**prediction.which, **options},
        content=content,
        headers={"Content-Type": media_type},
        timeout=_ANSWER_SECONDS,
    )


def _placed(error: ApiError, lines: int) -> ApiError:
    """Return a refusal whose line numbers count from the first line of the file."""
    problem = error.problem
    if not lines or problem.type != ProblemType.INVALID_TABLE.uri:
        return error
    detail = counted(_LINE, problem.detail, lines)
    return type(error)(problem.model_copy(update={"detail": detail}))
