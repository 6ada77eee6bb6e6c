"""Ask for predictions of a file, sent whole or, if it is large, in parts."""

import os
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from fitserve.client.connections import Content
from fitserve.client.errors import ApiError
from fitserve.client.parts import FileParts, Part, PartSize, fits_one_part
from fitserve.client.predicting import counted, from_row, joined, moved, without_none
from fitserve.client.transport import Transport
from fitserve.names import did_you_mean
from fitserve.problem_types import ProblemType
from fitserve.schemas.predict import PredictResponse
from fitserve.specs.parsing import ParsingSpec

SIZE = PartSize()
_CHUNK = 64 * 1024
_ANSWER_SECONDS = 300.0  # a part has many rows
_LINE = re.compile(r"(\b[Ll]ine )(\d+)")
_OPTIONS = tuple(key for key in ParsingSpec.model_fields if key != "types")


async def predict_file(
    transport: Transport,
    which: dict[str, Any],
    path: Any,
    parsing: dict[str, Any],
    *,
    strict: bool,
    size: PartSize | None = None,
) -> PredictResponse:
    """Return one answer for all rows of a file; row numbers count from its first row.

    `which` holds `model`, and `version` or `alias`.
    """
    path, given = _path(path), _options(parsing)
    asking = _Asking(transport, without_none(which), strict=strict)
    size, outside = size or SIZE, transport.connection.outside
    if await outside(fits_one_part, path, size):
        return await asking.ask(lambda: _chunks(transport, path), given)
    parts = await outside(FileParts, path, given, size)
    try:
        return await _in_parts(asking, parts, outside)
    finally:
        parts.close()


async def _in_parts(
    asking: "_Asking", parts: FileParts, outside: Callable[..., Any]
) -> PredictResponse:
    whole = await asking.ask_part(await outside(parts.first), 0)
    parts.follow(whole.parsing or {})
    # the version of the first part, even if another is promoted meanwhile
    asking.keep_to(whole)
    while (part := await outside(parts.next)) is not None:
        answer = await asking.ask_part(part, len(whole.predictions))
        parts.follow(answer.parsing or {})
        whole = joined(whole, answer)
    whole.parsing = parts.parsing
    return whole


class _Asking:
    def __init__(
        self, transport: Transport, which: dict[str, Any], *, strict: bool
    ) -> None:
        self._transport = transport
        self._params = {**which, **({"strict": "true"} if strict else {})}

    def keep_to(self, answer: PredictResponse) -> None:
        """Ask the version that gave this answer from now on."""
        self._params.pop("alias", None)
        self._params["version"] = answer.model_version

    async def ask(self, content: Content, given: dict[str, Any]) -> PredictResponse:
        return await self._transport.read(
            PredictResponse,
            "POST",
            "/v1/predict",
            content=content,
            headers={"Content-Type": "text/csv"},
            params={**self._params, **given},
            timeout=_ANSWER_SECONDS,
            again=True,
        )

    async def ask_part(self, part: Part, start: int) -> PredictResponse:
        """Ask for the rows of a part; its first row is row `start` of the file."""

        async def content() -> AsyncIterator[bytes]:
            yield part.content

        try:
            answer = await self.ask(content, part.options)
        except ApiError as error:
            raise _placed(moved(error, start), part.lines_moved) from None
        return from_row(answer, start)


def _placed(error: ApiError, lines: int) -> ApiError:
    """Return a refusal in which lines count from the first line of the file."""
    problem = error.problem
    if not lines or problem.type != ProblemType.INVALID_TABLE.uri:
        return error
    told = {"detail": counted(_LINE, problem.detail, lines)}
    return type(error)(problem.model_copy(update=told))


async def _chunks(transport: Transport, path: Path) -> AsyncIterator[bytes]:
    with await transport.connection.outside(lambda: path.open("rb")) as file:
        while chunk := await transport.connection.outside(file.read, _CHUNK):
            yield chunk


def _path(path: Any) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"predict_file() takes the path of a CSV; got {type(path).__name__}. "
            "predict() takes rows and DataFrames"
        )
    return Path(path)


def _options(parsing: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given; the service checks their values."""
    if "types" in parsing:
        raise TypeError(
            "predict_file() takes no `types`: a file is read by the types of the model's "
            "columns"
        )
    if unknown := set(parsing).difference(_OPTIONS):
        hint = did_you_mean(min(unknown), _OPTIONS)
        raise TypeError(f"predict_file() knows no option {min(unknown)!r}; {hint}")
    return without_none(parsing)
