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
from fitserve.client.problem_errors import error_from_problem
from fitserve.client.retrying import BRIEFLY, BROKEN, LONG, Retrying
from fitserve.problems import Problem
from fitserve.schemas.pages import Page

Schema = TypeVar("Schema", bound=BaseModel)
DEFAULT_URL = "http://127.0.0.1:8000"
RETRY_SECONDS = 30.0


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
        retry_seconds: float,
    ) -> None:
        self._retry_seconds = retry_seconds
        self.base_url = base_url or os.environ.get("FITSERVE_URL") or DEFAULT_URL
        key = (api_key or os.environ.get("FITSERVE_API_KEY") or "").strip()
        with self._reaching():  # a URL that is none is found out here
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
        """The answer; ApiError and ConnectionFailed.

        A GET, and what changes nothing the second time (`again`), is asked again where
        the line broke or the service is away for a moment; anything, where it is busy.
        `retry_seconds` is the client's unless less is given.
        """

        def send() -> Awaitable[httpx.Response]:
            return self.connection.send(method, path, **options)

        pauses = BRIEFLY if again or method == "GET" else ()
        return await self._again(self._retrying(pauses, retry_seconds), send)

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

        answer = await self._again(self._retrying(LONG), send)
        return self.parsed(schema, answer.content)

    async def _again(
        self, retrying: Retrying, send: Callable[[], Awaitable[httpx.Response]]
    ) -> httpx.Response:
        with self._reaching():
            while True:
                try:
                    answer = await send()
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
        """The answer while it comes; asked for once."""
        with self._reaching():
            async with self.connection.stream(method, path, **options) as answer:
                yield _checked(answer)

    async def _save(self, path: str, chunk_to: Callable[[bytes], object]) -> None:
        """Stream a file to a function; asked for again until its first byte comes."""
        retrying = self._retrying(BRIEFLY)
        with self._reaching():
            while True:
                async with self.connection.stream("GET", path) as answer:
                    if (pause := retrying.after(answer)) is None:
                        async for chunk in self.connection.chunks(_checked(answer)):
                            await self.connection.outside(chunk_to, chunk)
                        return
                await self.connection.sleep(pause)

    async def download(self, path: str, target: Path) -> Path:
        """Save a file; returns its path. What broke off leaves nothing there."""
        outside = self.connection.outside
        part = target.with_name(target.name + ".part")
        try:
            with await outside(lambda: part.open("wb")) as file:
                await self._save(path, file.write)
            return await outside(part.replace, target)
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ConnectionFailed(self.base_url, str(error) or repr(error)) from error


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
