"""Request predictions of any number of rows, and return one answer."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fitserve.client.cells import plain
from fitserve.client.errors import ApiError
from fitserve.client.frames import is_frame, names_of, slices
from fitserve.client.transport import Transport, without_none
from fitserve.problems import FieldError
from fitserve.schemas.predict import PredictResponse

_BATCH = 1000
_POINTED = re.compile(r"^(#/(?:instances|data)/)(\d+)")
_SAID = re.compile(r"(^row |; row )(\d+)", re.IGNORECASE)


class Prediction:
    """Requests for the rows of one table, and one answer to all requests so far.

    All requests go to the version that answered the first request, even if another one is
    promoted meanwhile. Row numbers count from the first row of the table.
    """

    def __init__(
        self,
        transport: Transport,
        model: str,
        version: int | None,
        alias: str | None,
        *,
        strict: bool,
    ) -> None:
        self.transport = transport
        self.which = without_none({"model": model, "version": version, "alias": alias})
        self._params = {"strict": "true"} if strict else {}
        self._whole: PredictResponse | None = None

    @property
    def answer(self) -> PredictResponse:
        """Return the answer to all rows so far; raise RuntimeError before the first."""
        if self._whole is None:
            raise RuntimeError("no request has been answered yet")
        return self._whole

    async def ask(
        self, params: dict[str, Any] | None = None, **request: Any
    ) -> PredictResponse:
        """Send the next rows and return their answer."""
        start = len(self._whole.predictions) if self._whole else 0
        params = {**(params or {}), **self._params}
        try:
            answer = await self.transport.read(
                PredictResponse,
                "POST",
                "/v1/predict",
                params=params,
                again=True,
                **request,
            )
        except ApiError as error:
            raise _moved(error, start) from None
        for warning in answer.warnings or ():
            warning.row = None if warning.row is None else warning.row + start
        self._whole = _joined(self._whole, answer) if self._whole else answer
        self.which = {"model": self.which["model"], "version": answer.model_version}
        return answer

    async def ask_rows(self, rows: Any) -> PredictResponse:
        """Send rows, an array or a frame, and return the answer."""
        for table in _batches(rows):
            await self.ask(json={**self.which, **table})
        return self.answer


def _batches(rows: Any) -> Iterator[dict[str, Any]]:
    """Yield rows, an array or a frame as one or more bodies of predict requests."""
    if is_frame(rows):
        names = names_of(rows)
        yield from ({"columns": names, "data": part} for part in slices(rows, _BATCH))
        return
    if hasattr(rows, "items"):
        rows = [rows]  # one row, by name
    instances = [_row(row) for row in rows]
    for start in range(0, max(1, len(instances)), _BATCH):
        yield {"instances": instances[start : start + _BATCH]}


def _row(row: Any) -> Any:
    if hasattr(row, "items"):  # a dict, or a Series of pandas
        return {str(name): plain(cell) for name, cell in row.items()}
    if isinstance(row, Iterable) and not isinstance(row, str | bytes):
        return [plain(cell) for cell in row]
    return plain(row)  # not a row; the service refuses it


def _joined(whole: PredictResponse, answer: PredictResponse) -> PredictResponse:
    """Return the answers to two batches as one, without repeated column warnings."""
    whole.predictions += answer.predictions
    if whole.probabilities is not None:
        whole.probabilities += answer.probabilities or []
    known = whole.warnings or []
    new = [w for w in answer.warnings or () if w.row is not None or w not in known]
    if new:
        whole.warnings = [*known, *new]
    return whole


def _moved(error: ApiError, start: int) -> ApiError:
    """Return the refusal of a later batch with row numbers of the whole table."""
    if not start:
        return error
    problem = error.problem
    moved = {
        "detail": counted(_SAID, problem.detail, start),
        "errors": [_moved_line(line, start) for line in problem.errors],
    }
    return type(error)(problem.model_copy(update=moved))


def _moved_line(line: FieldError, start: int) -> FieldError:
    moved = {
        "pointer": counted(_POINTED, line.pointer, start),
        "detail": counted(_SAID, line.detail, start),
        "row": None if line.row is None else line.row + start,
    }
    return line.model_copy(update=moved)


def counted(numbered: re.Pattern[str], text: str, start: int) -> str:
    """Return a text in which `start` is added to the number in the pattern's group 2."""
    return numbered.sub(lambda found: f"{found[1]}{int(found[2]) + start}", text)
