"""Answer predict requests over HTTP; each protocol has its own format of rows."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.responses import Response

from service.bodies import Body, read_body
from service.dependencies import get_services
from service.parsing_options import from_params
from service.predictor.answers import ModelAnswer
from service.predictor.file_rows import rows_of
from service.predictor.files import read_file
from service.predictor.instance_reader import InstanceReader, ParsedInstances
from service.predictor.version_resolver import ModelRef
from service.strict import is_strict


class HttpExchange:
    """The base of the exchanges over HTTP; each protocol defines `read` and `write`.

    Args:
        request: the request, whose URL or header `Prefer` may make it strict.
        body: the body of the request.
        ref: the model that the path names; its name is empty if the body names the model.

    """

    is_slow = False
    """Whether a thread reads the request even if it is small."""

    def __init__(self, request: Request, body: Body, ref: ModelRef) -> None:
        self.is_strict = is_strict(request, body)
        self._request = request
        self._body = body
        self._ref = ref
        self._json_body: dict[str, Any] = {}

    def model_ref(self) -> ModelRef:
        return self._ref

    def read(self, reader: InstanceReader) -> ParsedInstances:
        raise NotImplementedError

    def write(self, answer: ModelAnswer) -> Response:
        raise NotImplementedError


class FileExchange(HttpExchange):
    """A request with a file of rows as its body; the query has parsing options."""

    is_slow = True
    wants_rows = False
    """Whether the answer contains the rows of the file."""

    def __init__(self, request: Request, body: Body, ref: ModelRef) -> None:
        super().__init__(request, body, ref)
        self._options = from_params(request.query_params, body.media_type)
        self._parsing: dict[str, Any] = {}
        self._rows: dict[str, Any] | None = None
        """The rows of the file, if `wants_rows`."""

    def read(self, reader: InstanceReader) -> ParsedInstances:
        found = read_file(self._body, self._options, reader, is_whole=self.wants_rows)
        self._parsing = found.parsing
        self._rows = rows_of(found.cells) if self.wants_rows else None
        return found.reading


async def answer_predict(
    request: Request,
    ref: ModelRef,
    make_exchange: Callable[[Request, Body, ModelRef], HttpExchange],
) -> Response:
    """Read the body of a predict request, make its exchange, and answer it."""
    predictor = get_services(request).predictor
    body = await read_body(request, predictor.max_bytes)
    exchange = make_exchange(request, body, ref)
    return await predictor.answer(exchange, body.num_bytes, is_slow=exchange.is_slow)
