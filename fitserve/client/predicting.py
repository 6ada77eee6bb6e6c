"""Ask for predictions of any number of rows, and return one answer."""

import re
from typing import Any

from fitserve.client.errors import ApiError
from fitserve.client.tables import batches
from fitserve.client.transport import Transport
from fitserve.problems import FieldError
from fitserve.schemas.predict import PredictResponse

_BATCH = 1000
_POINTED = re.compile(r"^(#/(?:instances|data)/)(\d+)")
_SAID = re.compile(r"(^row |; row )(\d+)", re.IGNORECASE)


async def predict(
    transport: Transport,
    name: str,
    rows: Any,
    version: int | None,
    alias: str | None,
    *,
    strict: bool,
) -> PredictResponse:
    """Return one answer for all rows; row numbers count from the first row of all."""
    tables = batches(rows, _BATCH)
    params = {"strict": "true"} if strict else {}
    which = without_none({"version": version, "alias": alias})
    whole = await _ask(transport, {"model": name, **next(tables), **which}, params, 0)
    # the version of the first batch, even if another is promoted meanwhile
    which = {"version": whole.model_version}
    for place, table in enumerate(tables, 1):
        body = {"model": name, **table, **which}
        answer = await _ask(transport, body, params, place * _BATCH)
        whole = joined(whole, answer)
    return whole


async def _ask(
    transport: Transport, body: dict[str, Any], params: dict[str, str], start: int
) -> PredictResponse:
    try:
        answer = await transport.read(
            PredictResponse, "POST", "/v1/predict", params=params, json=body, again=True
        )
    except ApiError as error:
        raise moved(error, start) from None
    return from_row(answer, start)


def without_none(given: dict[str, Any]) -> dict[str, Any]:
    """Return the items whose value is not None."""
    return {key: value for key, value in given.items() if value is not None}


def from_row(answer: PredictResponse, start: int) -> PredictResponse:
    """Return an answer whose warnings count rows from `start`."""
    for warning in answer.warnings or ():
        warning.row = None if warning.row is None else warning.row + start
    return answer


def joined(whole: PredictResponse, answer: PredictResponse) -> PredictResponse:
    """Return the answers to two batches as one, without repeated column warnings."""
    whole.predictions += answer.predictions
    if whole.probabilities is not None:
        whole.probabilities += answer.probabilities or []
    told = whole.warnings or []
    new = [w for w in answer.warnings or () if w.row is not None or w not in told]
    if new:
        whole.warnings = [*told, *new]
    return whole


def moved(error: ApiError, start: int) -> ApiError:
    """Return the refusal of a later batch; its rows count from the first of all."""
    if not start:
        return error
    problem = error.problem
    told = {
        "detail": counted(_SAID, problem.detail, start),
        "errors": [_line(line, start) for line in problem.errors],
    }
    return type(error)(problem.model_copy(update=told))


def _line(line: FieldError, start: int) -> FieldError:
    told = {
        "pointer": counted(_POINTED, line.pointer, start),
        "detail": counted(_SAID, line.detail, start),
        "row": None if line.row is None else line.row + start,
    }
    return line.model_copy(update=told)


def counted(numbered: re.Pattern[str], text: str, start: int) -> str:
    """Return a text in which `start` is added to the number in the pattern's group 2."""
    return numbered.sub(lambda found: f"{found[1]}{int(found[2]) + start}", text)
