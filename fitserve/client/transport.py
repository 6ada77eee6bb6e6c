"""HTTP with the service: where it is, the key, what is sent again, errors."""

import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from fitserve.client.connections import Connection, Content
from fitserve.client.errors import ConnectionFailed, UnexpectedAnswer
from fitserve.client.refusals import refusal
from fitserve.problems import Problem
from fitserve.schemas.pages import Page

Schema = TypeVar("Schema", bound=BaseModel)
DEFAULT_URL = "http://127.0.0.1:8000"
_PAUSES = (0.2, 0.5)  # seconds before a request is sent again
_LONG_PAUSES = (*_PAUSES, 1.0, 2.0, 4.0, 8.0)  # a key waits 10 s for one who died
_BROKEN = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
_PASSING = frozenset({502, 503, 504})
_IN_FLIGHT = "/problems/request-in-flight"


def url_path(*parts: str) -> str:
    """A path below /v1 of these segments, whatever characters they hold."""
    return "/".join(["/v1", *(quote(part, safe="") for part in parts)])


class Transport:
    """A connection that speaks problems."""

    def __init__(
        self,
        connect: Callable[..., Connection],
        base_url: str | None,
        api_key: str | None,
        timeout: float,
    ) -> None:
        self.base_url = base_url or os.environ.get("FITSERVE_URL") or DEFAULT_URL
        key = (api_key or os.environ.get("FITSERVE_API_KEY") or "").strip()
        with self._reaching():  # a URL that is none is found out here
            self.connection = connect(
                base_url=self.base_url,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=timeout,
            )

    async def request(
        self, method: str, path: str, *, again: bool = False, **options: Any
    ) -> httpx.Response:
        """The answer; ApiError and ConnectionFailed.

        A GET, and what changes nothing the second time (`again`), is asked again where
        the line broke or the service is away for a moment.
        """
        pauses = _PAUSES if again or method == "GET" else ()

        def send() -> Awaitable[httpx.Response]:
            return self.connection.send(method, path, **options)

        return await self._again(pauses, send)

    async def create(
        self,
        schema: type[Schema],
        path: str,
        content: Content | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Schema:
        """POST what shall exist once: sent with a key, and so sent again like a GET.

        `content` gives the body anew for each time.
        """
        told = {**(headers or {}), "Idempotency-Key": secrets.token_hex(16)}

        def send() -> Awaitable[httpx.Response]:
            return self.connection.send("POST", path, content, headers=told, **options)

        return self.parsed(schema, (await self._again(_LONG_PAUSES, send)).content)

    async def _again(
        self, pauses: Sequence[float], send: Callable[[], Awaitable[httpx.Response]]
    ) -> httpx.Response:
        with self._reaching():
            for pause in pauses:
                try:
                    answer = await send()
                except _BROKEN:
                    await self.connection.sleep(pause)
                    continue
                if not _is_passing(answer):
                    return _checked(answer)
                await self.connection.sleep(pause)
            return _checked(await send())

    async def read(
        self, schema: type[Schema], method: str, path: str, **options: Any
    ) -> Schema:
        """The answer as `schema`."""
        answer = await self.request(method, path, **options)
        return self.parsed(schema, answer.content)

    def parsed(self, schema: type[Schema], text: str | bytes) -> Schema:
        """JSON from the service as `schema`; UnexpectedAnswer."""
        try:
            return schema.model_validate_json(text)
        except ValidationError as error:
            line = error.errors(include_url=False)[0]
            where = ".".join([schema.__name__, *(str(part) for part in line["loc"])])
            raise UnexpectedAnswer(self.base_url, f"{where}: {line['msg']}") from error

    async def pages(
        self, schema: type[Schema], path: str, params: dict[str, Any]
    ) -> AsyncIterator[Schema]:
        """The items of every page."""
        page_schema: type[Page[Any]] = Page[schema]  # type: ignore[valid-type]
        cursor = None
        while True:
            asked = {**params, "cursor": cursor} if cursor else params
            page = await self.read(page_schema, "GET", path, params=asked)
            for item in page.items:
                yield item
            cursor = page.next_cursor
            if cursor is None:
                return

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, **options: Any
    ) -> AsyncIterator[httpx.Response]:
        """The answer while it comes."""
        with self._reaching():
            async with self.connection.stream(method, path, **options) as answer:
                yield _checked(answer)

    async def download(self, path: str, target: Path) -> Path:
        """Save a file; returns its path. What broke off leaves nothing there."""
        outside = self.connection.outside
        part = target.with_name(target.name + ".part")
        try:
            async with self.stream("GET", path) as answer:
                with await outside(part.open, "wb") as file:
                    async for chunk in self.connection.chunks(answer):
                        await outside(file.write, chunk)
            return await outside(part.replace, target)
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ConnectionFailed(self.base_url, str(error) or repr(error)) from error


def _is_passing(answer: httpx.Response) -> bool:
    """Whether the same request may fare better in a moment."""
    if answer.status_code != 409:
        return answer.status_code in _PASSING
    return _IN_FLIGHT in answer.text


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
    raise refusal(problem)
