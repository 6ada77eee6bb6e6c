"""Lines of the log."""

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
    """The lines of a logger of its own, in the form that the test asks for."""
    settings = Settings(
        home=tmp_path,
        api_key=SecretStr(KEY),
        database_url=f"postgresql+psycopg://me:{PASSWORD}@db/x",
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
def test_a_line_says_when_what_where_and_about_what(lines):
    """And no more about it once the block has ended."""
    logger, told = lines
    with logs.bound(run_id="run_1"):
        logs.bind(attempt=2)
        logger.info("claimed %d", 1)
    logger.info("after")
    within, after = map(json.loads, told())
    assert within["message"] == "claimed 1"
    assert (within["level"], within["process"]) == ("INFO", "api")
    assert (within["run_id"], within["attempt"]) == ("run_1", 2)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", within["time"])
    assert not {"run_id", "attempt"} & after.keys()


@as_json
def test_an_error_is_one_line_too(lines):
    """With its traceback in it."""
    logger, told = lines
    logger.error("went wrong", exc_info=ValueError("a\nb"))
    (line,) = told()
    assert "ValueError: a\nb" in json.loads(line)["error"]


@as_text
def test_a_message_cannot_make_a_line_of_its_own(lines):
    """Line breaks that a client sent are written out."""
    logger, told = lines
    logger.info("from %s", "a\r\n2026-01-01T00:00:00.000Z ERROR api[1] x: forged")
    assert len(told()) == 1


@as_any
def test_secrets_are_never_written(lines):
    """The key and a password, in a message and in a traceback."""
    logger, told = lines
    error = ConnectionError(f"postgresql://me:{PASSWORD}@db refused {KEY}")
    logger.error("with %s", KEY, exc_info=error)
    text = "\n".join(told())
    assert "ConnectionError" in text
    assert KEY not in text
    assert PASSWORD not in text


@as_json
def test_one_request_says_nothing_of_another(lines):
    """Threads and tasks have contexts of their own."""
    logger, told = lines
    logs.bind(run_id="run_1")
    thread = threading.Thread(target=logger.info, args=["elsewhere"])
    thread.start()
    thread.join()
    logs._FACTS.set({})
    assert "run_id" not in json.loads(told()[0])


def test_what_nobody_catches_is_a_line_of_the_same_form(tmp_path):
    """In the main thread, in another one, and a warning of Python's."""
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


def test_what_a_library_writes_past_python_is_an_object_too(tmp_path):
    """To either stream, from a forked child as well."""
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
    told = {json.loads(line)["message"] for line in done.stderr.splitlines()}
    assert {"native words", "of a child"} <= told
    assert done.stdout == ""
