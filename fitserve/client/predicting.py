"""Asking for predictions: any number of rows, one answer."""

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
    """One answer for all rows; what is said of a row counts from the first of all."""
    first, later = batches(rows, _BATCH)
    params = {"strict": "true"} if strict else {}
    which = _told({"version": version, "alias": alias})
    whole = await _ask(transport, {"model": name, **first, **which}, params, 0)
    # the version of the first batch, whatever is promoted meanwhile
    which = {"version": whole.model_version}
    for place, table in enumerate(later, 1):
        body = {"model": name, **table, **which}
        answer = await _ask(transport, body, params, place * _BATCH)
        whole = _joined(whole, answer)
    return whole


async def _ask(
    transport: Transport, body: dict[str, Any], params: dict[str, str], start: int
) -> PredictResponse:
    try:
        answer = await transport.read(
            PredictResponse, "POST", "/v1/predict", params=params, json=body, again=True
        )
    except ApiError as error:
        raise _moved(error, start) if start else error from None
    for warning in answer.warnings or ():
        warning.row = None if warning.row is None else warning.row + start
    return answer


def _told(which: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in which.items() if value is not None}


def _joined(whole: PredictResponse, answer: PredictResponse) -> PredictResponse:
    whole.predictions += answer.predictions
    if whole.probabilities is not None:
        whole.probabilities += answer.probabilities or []
    if answer.warnings:
        whole.warnings = [*(whole.warnings or ()), *answer.warnings]
    return whole


def _moved(error: ApiError, start: int) -> ApiError:
    """The refusal of a later batch, with its rows counted from the first of all."""
    problem = error.problem
    moved = {
        "detail": _counted(_SAID, problem.detail, start),
        "errors": [_line(line, start) for line in problem.errors],
    }
    return type(error)(problem.model_copy(update=moved))


def _line(line: FieldError, start: int) -> FieldError:
    moved = {
        "pointer": _counted(_POINTED, line.pointer, start),
        "detail": _counted(_SAID, line.detail, start),
        "row": None if line.row is None else line.row + start,
    }
    return line.model_copy(update=moved)


def _counted(row: re.Pattern[str], text: str, start: int) -> str:
    return row.sub(lambda found: f"{found[1]}{int(found[2]) + start}", text)
