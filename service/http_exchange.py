"""A predict request over HTTP; the protocols differ in how they read and write rows."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.responses import Response

from service.bodies import Body, read_body
from service.dependencies import get_services
from service.parsing_options import from_params
from service.predictor.answers import ModelAnswer
from service.predictor.columns import RawColumns, ReadColumns
from service.predictor.files import read_file
from service.predictor.version_resolver import ModelRef
from service.strict import is_strict


class HttpExchange:
    """An exchange of the predictor; a protocol defines `read` and `write`.

    Args:
        request: its URL and its header `Prefer` may make it strict.
        body: the body of the request.
        ref: the model that the path names; without a name if the body names it.

    """

    is_slow = False
    """Whether the request is always read in a thread."""

    def __init__(self, request: Request, body: Body, ref: ModelRef) -> None:
        self.is_strict = is_strict(request, body)
        self._request = request
        self._packed = body
        self._ref = ref
        self._body: dict[str, Any] = {}

    def wanted(self) -> ModelRef:
        return self._ref

    def read(self, columns: RawColumns) -> ReadColumns:
        raise NotImplementedError

    def write(self, answer: ModelAnswer) -> Response:
        raise NotImplementedError


class CsvExchange(HttpExchange):
    """A request whose body is a CSV, gzipped or not; the query says how to parse it."""

    is_slow = True

    def __init__(self, request: Request, body: Body, ref: ModelRef) -> None:
        super().__init__(request, body, ref)
        self._options = from_params(request.query_params, body.media_type)
        self._parsing: dict[str, Any] = {}

    def read(self, columns: RawColumns) -> ReadColumns:
        found = read_file(self._packed, self._options, columns)
        self._parsing = found.parsing
        return found.reading


async def answer_predict(
    request: Request,
    ref: ModelRef,
    exchange_of: Callable[[Request, Body, ModelRef], HttpExchange],
) -> Response:
    """Read the body of a predict request, and answer it by the exchange made for it."""
    predictor = get_services(request).predictor
    body = await read_body(request, predictor.max_bytes)
    exchange = exchange_of(request, body, ref)
    return await predictor.answer(exchange, body.num_bytes, is_slow=exchange.is_slow)
