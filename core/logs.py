"""Log lines of every process in one form, each with what it was about.

A request or a run binds what it is to its context, and whatever is logged on its way says
so, libraries' lines too. The standard library's loggers are what uvicorn, Celery and
SQLAlchemy write to already; only the last step, a record to a line, is ours.
"""

import contextvars
import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import orjson
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from core.settings import Settings

REQUEST_ID: contextvars.ContextVar[str | None] = contextvars.ContextVar(
    "request_id", default=None
)
"""Set at the door for every request; by itself, as that is the cheapest."""
_FACTS: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar(
    "facts",
    default={},  # noqa: B039  replaced, never changed
)
_API_KEY = re.compile(r"fitserve_[0-9A-Za-z]{12}_[0-9A-Za-z]{20,}")
_SHORTEST_SECRET = 6


def bind(**facts: Any) -> None:
    """Say these in every line to come of this thread or task."""
    _FACTS.set({**_FACTS.get(), **facts})


@contextmanager
def bound(**facts: Any) -> Iterator[None]:
    """The same until the block ends, with what was bound in it."""
    token = _FACTS.set({**_FACTS.get(), **facts})
    try:
        yield
    finally:
        _FACTS.reset(token)


def configure(settings: Settings, process: str, *, has_native: bool = False) -> None:
    """Log to stderr in the form that the settings want, exceptions of threads too.

    Args:
        settings: level, form, and the secrets to leave out.
        process: what this one is, in every line.
        has_native: libraries write to stderr past Python, as TensorFlow's do; where every
            line shall be an object, those are made one too.

    """
    kind = JsonFormatter if settings.log_format == "json" else TextFormatter
    wraps = has_native and kind is JsonFormatter
    handler = logging.StreamHandler(_stderr_behind_a_pipe() if wraps else None)
    handler.setFormatter(kind(process, _secrets(settings)))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_of_thread


def _stderr_behind_a_pipe() -> TextIO:
    """Real stderr; what is written to 1 and 2 from now on, children's too, is logged."""
    real = os.fdopen(os.dup(2), "w", buffering=1)
    read, write = os.pipe()
    for fd in (1, 2):
        os.dup2(write, fd)
    os.close(write)
    threading.Thread(target=_log_lines, args=[read], name="stderr", daemon=True).start()
    return real


def _log_lines(fd: int) -> None:
    log = logging.getLogger("stderr")
    with os.fdopen(fd, errors="replace") as lines:
        for line in lines:
            if line.strip():
                log.info("%s", line.rstrip())


class _Formatter(logging.Formatter):
    """What both forms share.

    Args:
        process: `api`, `worker` or `reader`.
        secrets: never written, wherever they come from.

    """

    def __init__(self, process: str, secrets: Sequence[str]) -> None:
        super().__init__()
        self._process = process
        self._secrets = secrets

    def _facts(self, record: logging.LogRecord) -> dict[str, Any]:
        request_id = REQUEST_ID.get()
        facts = {"request_id": request_id} if request_id is not None else {}
        return {**facts, **_FACTS.get(), **getattr(record, "facts", {})}

    def _time(self, record: logging.LogRecord) -> str:
        told = datetime.fromtimestamp(record.created, UTC)
        return told.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _error(self, record: logging.LogRecord) -> str:
        if not record.exc_info or record.exc_info[0] is None:
            return ""
        return self._redacted("".join(traceback.format_exception(*record.exc_info)))

    def _redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return _API_KEY.sub("fitserve_***", text)


class JsonFormatter(_Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self._time(record),
            "level": record.levelname,
            "process": self._process,
            "pid": record.process,
            "logger": record.name,
            "message": self._redacted(record.getMessage()),
            **self._facts(record),
        }
        if error := self._error(record):
            line["error"] = error
        return orjson.dumps(line, default=str).decode()


class TextFormatter(_Formatter):
    """A line for eyes; only a traceback has more than one."""

    def format(self, record: logging.LogRecord) -> str:
        told = self._redacted(record.getMessage())
        facts = "".join(f" {k}={v}" for k, v in self._facts(record).items())
        message = f"{told}{facts}".replace("\r", "\\r").replace("\n", "\\n")
        head = (
            f"{self._time(record)} {record.levelname} {self._process}[{record.process}]"
        )
        line = f"{head} {record.name}: {message}"
        error = self._error(record)
        return f"{line}\n{error.rstrip()}" if error else line


def _secrets(settings: Settings) -> list[str]:
    """The key, the pepper, and the passwords in URLs."""
    given = (settings.api_key, settings.key_pepper)
    found = [secret.get_secret_value() for secret in given if secret is not None]
    for url in (settings.resolved_database_url, settings.resolved_broker_url):
        try:
            found.append(make_url(url).password or "")
        except ArgumentError:  # told where the URL is used
            continue
    return [secret for secret in found if len(secret) >= _SHORTEST_SECRET]


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("fitserve").critical("uncaught", exc_info=(kind, error, trace))


def _log_uncaught_of_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is None or told.exc_type is SystemExit:
        return
    name = told.thread.name if told.thread else "?"
    logging.getLogger("fitserve").critical(
        "uncaught in the thread %s",
        name,
        exc_info=(told.exc_type, told.exc_value, told.exc_traceback),
    )
