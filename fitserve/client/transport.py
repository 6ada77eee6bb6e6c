"""HTTP requests to the service: URL, key, retries and errors."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from fitserve.client.connections import Connection, Content
from fitserve.client.errors import ConnectionFailed, UnexpectedAnswer
from fitserve.client.problem_errors import error_from_problem
from fitserve.client.retrying import BRIEFLY, BROKEN, LONG, Retrying
from fitserve.client.service_url import service_url
from fitserve.problems import Problem
from fitserve.schemas.pages import Page

Schema = TypeVar("Schema", bound=BaseModel)
DEFAULT_URL = "http://127.0.0.1:8000"
RETRY_SECONDS = 30.0


def url_path(*parts: str | int) -> str:
    """Return the path of these segments below /v1, with quoted characters."""
    return "/".join(["/v1", *(quote(str(part), safe="") for part in parts)])


def without_none(given: dict[str, Any]) -> dict[str, Any]:
    """Return the items whose value is not None."""
    return {key: value for key, value in given.items() if value is not None}


def as_mapping(name: str, value: Any, example: str) -> dict[str, Any]:
    """Return an argument as a dict; raise TypeError if it is no mapping."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"got {name}={value!r:.80}; expected a dict such as {example}")


class Transport:
    """A connection that raises only exceptions of this package."""

    def __init__(
        self,
        connect: type[Connection],
        base_url: str | None,
        api_key: str | None,
        timeout: float,
        retry_seconds: float,
    ) -> None:
        self._retry_seconds = retry_seconds
        given = base_url or os.environ.get("FITSERVE_URL") or DEFAULT_URL
        try:
            self.base_url = service_url(given)
        except ValueError as error:
            raise ConnectionFailed(given, str(error)) from None
        key = (api_key or os.environ.get("FITSERVE_API_KEY") or "").strip()
        with self._reaching():  # httpx refuses an invalid URL here
            self.connection = connect(
                base_url=self.base_url,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=timeout,
            )

    async def request(
        self,
        method: str,
        path: str,
        *,
        again: bool = False,
        retry_seconds: float | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Return the answer; raise ApiError or ConnectionFailed.

        Any request is retried if the service is busy. A GET, and a request that changes
        nothing the second time (`again`), is also retried after a broken connection or a
        temporary error. `retry_seconds` can only shorten the limit of the client.
        """
        pauses = BRIEFLY if again or method == "GET" else ()
        retrying = self._retrying(pauses, retry_seconds)
        return await self._send(retrying, method, path, **options)

    async def create(
        self,
        schema: type[Schema],
        path: str,
        content: Content | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Schema:
        """POST a new resource with an idempotency key, so that a retry is safe."""
        keyed = {**(headers or {}), "Idempotency-Key": secrets.token_hex(16)}
        answer = await self._send(
            self._retrying(LONG), "POST", path, content, headers=keyed, **options
        )
        return self.parsed(schema, answer.content)

    async def _send(
        self,
        retrying: Retrying,
        method: str,
        path: str,
        content: Content | None = None,
        *,
        stream: bool = False,
        **options: Any,
    ) -> httpx.Response:
        http = self.connection.http
        with self._reaching():
            while True:
                body = content() if content else None
                asked = http.build_request(method, path, content=body, **options)
                try:
                    answer = await http.send(asked, stream=stream)
                    if not answer.is_success:
                        await answer.aread()
                except BROKEN:
                    if (pause := retrying.after_break()) is None:
                        raise
                else:
                    if (pause := retrying.after(answer)) is None:
                        return _checked(answer)
                await self.connection.sleep(pause)

    def _retrying(self, pauses: Sequence[float], most: float | None = None) -> Retrying:
        own = self._retry_seconds
        return Retrying(pauses, own if most is None else min(own, most))

    async def read(
        self, schema: type[Schema], method: str, path: str, **options: Any
    ) -> Schema:
        """Send a request and return the answer as `schema`."""
        answer = await self.request(method, path, **options)
        return self.parsed(schema, answer.content)

    async def get(
        self, schema: type[Schema], *parts: str | int, **options: Any
    ) -> Schema:
        """GET the path of these segments, and return the answer as `schema`."""
        return await self.read(schema, "GET", url_path(*parts), **options)

    def parsed(self, schema: type[Schema], text: str | bytes) -> Schema:
        """Parse JSON from the service as `schema`; raise UnexpectedAnswer."""
        try:
            return schema.model_validate_json(text)
        except ValidationError as error:
            line = error.errors(include_url=False)[0]
            where = ".".join([schema.__name__, *(str(part) for part in line["loc"])])
            raise UnexpectedAnswer(self.base_url, f"{where}: {line['msg']}") from error

    async def pages(
        self, schema: type[Schema], *parts: str, **params: Any
    ) -> AsyncIterator[Schema]:
        """Yield the items of all pages of a list."""
        page_schema: type[Page[Any]] = Page[schema]  # type: ignore[valid-type]
        params = {name: value for name, value in params.items() if value}
        while True:
            page = await self.get(page_schema, *parts, params=params)
            for item in page.items:
                yield item
            if page.next_cursor is None:
                return
            params["cursor"] = page.next_cursor

    @asynccontextmanager
    async def stream(
        self, path: str, pauses: Sequence[float] | None = None, **options: Any
    ) -> AsyncIterator[httpx.Response]:
        """GET an answer whose body the caller reads; do not retry without `pauses`."""
        retrying = Retrying((), 0) if pauses is None else self._retrying(pauses)
        with self._reaching():
            answer = await self._send(retrying, "GET", path, stream=True, **options)
            try:
                yield answer
            finally:
                await answer.aclose()

    async def download(self, path: str, target: Path) -> Path:
        """Save a file and return its path; a failed download does not change `target`."""
        outside = self.connection.outside
        part = target.with_name(target.name + ".part")
        try:
            with await outside(lambda: part.open("wb")) as file:
                async with self.stream(path, BRIEFLY) as answer:
                    async for chunk in answer.aiter_bytes():
                        await outside(file.write, chunk)
            return await outside(part.replace, target)
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ConnectionFailed(self.base_url, str(error) or repr(error)) from None


class Resource:
    """The calls for one kind of resource."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = Problem.model_validate_json(answer.content)
    except ValidationError:
        problem = Problem(
            type="about:blank",
            title=answer.reason_phrase,
            status=answer.status_code,
            detail=f"{answer.status_code} {answer.reason_phrase}: {answer.text[:500]}",
        )
    raise error_from_problem(problem)
