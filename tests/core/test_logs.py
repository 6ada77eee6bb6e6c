"""The format and the content of log lines."""

import io
import json
import logging
import re
import subprocess
import sys
import threading

import pytest
from pydantic import SecretStr

from core import logs
from core.settings import Settings

KEY = "a-secret-of-many-characters"
PASSWORD = "hunter2hunter2"


@pytest.fixture
def lines(request, tmp_path):
    """Provide a separate logger and a function that returns its lines."""
    settings = Settings(
        home=tmp_path,
        api_key=SecretStr(KEY),
        database_url=f"postgresql+psycopg://me:{PASSWORD}@db/x",
        broker_url="amqp://me:of%2Fthe%40broker@rabbitmq//vhost",
        log_format=request.param,
    )
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.formatter(settings, "api"))
    logger = logging.getLogger("tests.lines")
    logger.addHandler(handler)
    logger.setLevel("INFO")
    logger.propagate = False
    yield logger, lambda: stream.getvalue().splitlines()
    logger.removeHandler(handler)


as_json = pytest.mark.parametrize("lines", ["json"], indirect=True)
as_text = pytest.mark.parametrize("lines", ["text"], indirect=True)
as_any = pytest.mark.parametrize("lines", ["json", "text"], indirect=True)


@as_json
def test_a_line_has_time_message_process_and_context(lines):
    """A line after the block has no context."""
    logger, written = lines
    with logs.bound(run_id="run_1"):
        logs.bind(attempt=2)
        logger.info("claimed %d", 1)
    logger.info("after")
    within, after = map(json.loads, written())
    assert within["message"] == "claimed 1"
    assert (within["level"], within["process"]) == ("INFO", "api")
    assert (within["run_id"], within["attempt"]) == ("run_1", 2)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", within["time"])
    assert not {"run_id", "attempt"} & after.keys()


@as_json
def test_an_error_is_one_line_too(lines):
    """The line contains the traceback."""
    logger, written = lines
    logger.error("went wrong", exc_info=ValueError("a\nb"))
    (line,) = written()
    assert "ValueError: a\nb" in json.loads(line)["error"]


@as_text
def test_a_message_cannot_forge_a_line(lines):
    """Line breaks sent by a client are escaped."""
    logger, written = lines
    logger.info("from %s", "a\r\n2026-01-01T00:00:00.000Z ERROR api[1] x: forged")
    assert len(written()) == 1


@as_any
def test_secrets_are_never_written(lines):
    """Neither a message nor a traceback contains the key or a password."""
    logger, written = lines
    error = ConnectionError(f"postgresql://me:{PASSWORD}@db refused {KEY}")
    logger.error("with %s", KEY, exc_info=error)
    logger.error("amqp://me:of%2Fthe%40broker@rabbitmq is of/the@broker")
    text = "\n".join(written())
    assert "ConnectionError" in text
    assert KEY not in text
    assert PASSWORD not in text
    assert "amqp://me:***@rabbitmq is ***" in text


@as_json
def test_a_thread_does_not_inherit_the_context(lines):
    """Threads and tasks have separate contexts."""
    logger, written = lines
    logs.bind(run_id="run_1")
    thread = threading.Thread(target=logger.info, args=["elsewhere"])
    thread.start()
    thread.join()
    logs._FACTS.set({})
    assert "run_id" not in json.loads(written()[0])


def test_uncaught_exceptions_are_lines_of_the_same_form(tmp_path):
    """This holds for the main thread, other threads, and Python's warnings."""
    code = (
        "import threading, warnings\n"
        "from core import logs\n"
        "from core.settings import Settings\n"
        "logs.configure(Settings(log_format='json'), 'api')\n"
        "warnings.warn('beware')\n"
        "thread = threading.Thread(target=lambda: 1 / 0, name='t')\n"
        "thread.start(); thread.join()\n"
        "raise RuntimeError('at the end')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["level"] for line in lines] == ["WARNING", "CRITICAL", "CRITICAL"]
    assert "ZeroDivisionError" in lines[1]["error"]
    assert "at the end" in lines[2]["error"]


def test_native_output_of_a_library_is_a_json_line_too(tmp_path):
    """This holds for both streams, and in a forked child."""
    code = (
        "import logging, os, threading\n"
        "from core import logs\n"
        "from core.settings import Settings\n"
        "settings = Settings(log_format='json')\n"
        "logs.configure(settings, 'worker', has_native=True)\n"
        "written = threading.Semaphore(0)\n"
        "last = logging.Handler()\n"
        "last.emit = lambda _: written.release()\n"
        "logging.getLogger().addHandler(last)\n"
        "os.write(2, b'native words\\n')\n"
        "if os.fork() == 0:\n"
        "    os.write(1, b'of a child\\n')\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "written.acquire(timeout=30) and written.acquire(timeout=30)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    written = {json.loads(line)["message"] for line in done.stderr.splitlines()}
    assert {"native words", "of a child"} <= written
    assert done.stdout == ""
