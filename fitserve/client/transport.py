"""HTTP with the service: where it is, the key, errors as exceptions."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
_GET_PAUSES = (0.2, 0.5)  # seconds before a GET is asked again
_PASSING = frozenset({502, 503, 504})


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
        with self._reaching():
            for pause in _GET_PAUSES if method == "GET" else ():
                answer = self._try(method, path, options)
                if answer is not None:
                    return _checked(answer)
                time.sleep(pause)
            return _checked(self._http.request(method, path, **options))

    def _try(
        self, method: str, path: str, options: dict[str, Any]
    ) -> httpx.Response | None:
        try:
            answer = self._http.request(method, path, **options)
        except (httpx.ReadError, httpx.RemoteProtocolError):
            return None
        return None if answer.status_code in _PASSING else answer

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
