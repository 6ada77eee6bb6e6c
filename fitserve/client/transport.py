"""HTTP with the service: where it is, the key, errors as exceptions."""

import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from fitserve.client.errors import ApiError, ConnectionFailed, UnexpectedAnswer
from fitserve.problems import Problem
from fitserve.schemas.pages import Page

Schema = TypeVar("Schema", bound=BaseModel)
DEFAULT_URL = "http://127.0.0.1:8000"
_CONNECT_RETRIES = 2  # of connecting only, so nothing is sent twice
_PAUSES = (0.2, 0.5)  # seconds before a request is sent again
_LONG_PAUSES = (*_PAUSES, 1.0, 2.0, 4.0, 8.0)  # a key waits 10 s for one who died
_BROKEN = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
_PASSING = frozenset({502, 503, 504})
_IN_FLIGHT = "/problems/request-in-flight"


def url_path(*parts: str) -> str:
    """A path below /v1 of these segments, whatever characters they hold."""
    return "/".join(["/v1", *(quote(part, safe="") for part in parts)])


class Transport:
    """A connection pool that speaks problems."""

    def __init__(self, base_url: str | None, api_key: str | None, timeout: float) -> None:
        self.base_url = base_url or os.environ.get("FITSERVE_URL") or DEFAULT_URL
        key = (api_key or os.environ.get("FITSERVE_API_KEY") or "").strip()
        with self._reaching():  # a URL that is none is found out here
            self._http = httpx.Client(
                base_url=self.base_url,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=timeout,
                transport=httpx.HTTPTransport(retries=_CONNECT_RETRIES),
            )

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer; ApiError and ConnectionFailed.

        A GET is asked again where the line broke or the service is away for a moment.
        """
        pauses = _PAUSES if method == "GET" else ()
        return self._again(pauses, lambda: self._http.request(method, path, **options))

    def create(
        self,
        schema: type[Schema],
        path: str,
        content: Callable[[], Iterator[bytes]] | None = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Schema:
        """POST what shall exist once: sent with a key, and so sent again like a GET.

        `content` gives the body anew for each time.
        """
        told = {**(headers or {}), "Idempotency-Key": secrets.token_hex(16)}

        def send() -> httpx.Response:
            body = content() if content else None
            return self._http.post(path, content=body, headers=told, **options)

        return self.parsed(schema, self._again(_LONG_PAUSES, send).content)

    def _again(
        self, pauses: Sequence[float], send: Callable[[], httpx.Response]
    ) -> httpx.Response:
        with self._reaching():
            for pause in pauses:
                with suppress(*_BROKEN):
                    answer = send()
                    if not _is_passing(answer):
                        return _checked(answer)
                time.sleep(pause)
            return _checked(send())

    def read(
        self, schema: type[Schema], method: str, path: str, **options: Any
    ) -> Schema:
        """The answer as `schema`."""
        return self.parsed(schema, self.request(method, path, **options).content)

    def parsed(self, schema: type[Schema], text: str | bytes) -> Schema:
        """JSON from the service as `schema`; UnexpectedAnswer."""
        try:
            return schema.model_validate_json(text)
        except ValidationError as error:
            line = error.errors(include_url=False)[0]
            where = ".".join([schema.__name__, *(str(part) for part in line["loc"])])
            raise UnexpectedAnswer(self.base_url, f"{where}: {line['msg']}") from error

    def pages(
        self, schema: type[Schema], path: str, params: dict[str, Any]
    ) -> Iterator[Schema]:
        """The items of every page."""
        page_schema: type[Page[Any]] = Page[schema]  # type: ignore[valid-type]
        cursor = None
        while True:
            asked = {**params, "cursor": cursor} if cursor else params
            page = self.read(page_schema, "GET", path, params=asked)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    @contextmanager
    def stream(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """The answer while it comes."""
        with self._reaching(), self._http.stream(method, path, **options) as answer:
            if answer.is_error:
                answer.read()
            yield _checked(answer)

    def download(self, path: str, target: Path) -> Path:
        """Save a file; returns its path. What broke off leaves nothing there."""
        part = target.with_name(target.name + ".part")
        try:
            with self.stream("GET", path) as answer, part.open("wb") as file:
                for chunk in answer.iter_bytes():
                    file.write(chunk)
            return part.replace(target)
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
    raise ApiError.of(problem)
