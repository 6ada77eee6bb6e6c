"""HTTP with the service: where it is, the key, errors as exceptions."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from fitserve.client.errors import ApiError, ConnectionFailed
from fitserve.problems import Problem
from fitserve.schemas.pages import Page

Schema = TypeVar("Schema", bound=BaseModel)
DEFAULT_URL = "http://127.0.0.1:8000"
_RETRIES = 2  # of connecting only, so nothing is sent twice


class Transport:
    """A connection pool that speaks problems."""

    def __init__(self, base_url: str | None, api_key: str | None, timeout: float) -> None:
        self.base_url = base_url or os.environ.get("FITSERVE_URL") or DEFAULT_URL
        key = api_key or os.environ.get("FITSERVE_API_KEY")
        self._http = httpx.Client(
            base_url=self.base_url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=timeout,
            transport=httpx.HTTPTransport(retries=_RETRIES),
        )

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer; ApiError and ConnectionFailed."""
        with self._reaching():
            answer = self._http.request(method, path, **options)
        return _checked(answer)

    def read(
        self, schema: type[Schema], method: str, path: str, **options: Any
    ) -> Schema:
        """The answer as `schema`."""
        return schema.model_validate_json(self.request(method, path, **options).content)

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
        """Save a file; returns its path."""
        with self.stream("GET", path) as answer, target.open("wb") as file:
            for chunk in answer.iter_bytes():
                file.write(chunk)
        return target

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
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
