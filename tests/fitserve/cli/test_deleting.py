"""Test that `delete` asks at a terminal, and only there."""

import os
import pty
import subprocess

import pytest

from tests.e2e_service import FITSERVE
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer


@pytest.fixture
def deletable(wire):
    wire.answers("GET /v1/datasets/wine", bodies.dataset())
    wire.answers("GET /v1/models/wine", bodies.model())
    for path in ("datasets/ds_1", "datasets/wine", "models/wine", "models/wine/versions/2",
                 "models/wine/aliases/live"):  # fmt: skip
        wire.answers(f"DELETE /v1/{path}", Answer(status=204))
    return wire


@pytest.fixture
def at_a_terminal(deletable):
    """Return a function that runs `fitserve` and types an answer."""

    def run(answer, *arguments):
        master, slave = pty.openpty()
        try:
            os.write(master, answer)
            return subprocess.run(
                [FITSERVE, "--url", deletable.url, *arguments],
                stdin=slave, capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
        finally:
            os.close(master)
            os.close(slave)

    return run


def deletions(wire):
    return [asked.path for asked in wire.asked if asked.method == "DELETE"]


@pytest.mark.parametrize("answer", [b"n\n", b"\n"])
def test_without_a_yes_nothing_is_deleted(deletable, at_a_terminal, answer):
    """The question says what it is about; the exit code is 130."""
    done = at_a_terminal(answer, "datasets", "delete", "wine")
    assert done.returncode == 130
    assert "Delete the dataset 'wine' (3 rows, " in done.stderr
    assert "nothing was deleted" in done.stderr
    assert deletions(deletable) == []


def test_a_yes_deletes_the_dataset_that_was_shown(deletable, at_a_terminal):
    """A newer upload with the same name stays."""
    done = at_a_terminal(b"y\n", "datasets", "delete", "wine")
    assert done.returncode == 0, done.stderr
    assert deletions(deletable) == ["/v1/datasets/ds_1"]


@pytest.mark.parametrize(
    ("options", "question", "path"),
    [
        ((), "the model 'wine' with all its versions (2)", "models/wine"),
        (("--version", "2"), "version 2 of the model 'wine'", "models/wine/versions/2"),
        (
            ("--alias", "live"),
            "the alias 'live' of the model",
            "models/wine/aliases/live",
        ),
    ],
)
def test_a_question_names_the_part_of_the_model(
    deletable, at_a_terminal, options, question, path
):
    done = at_a_terminal(b"y\n", "models", "delete", "wine", *options)
    assert done.returncode == 0, done.stderr
    assert f"Delete {question}" in done.stderr
    assert deletions(deletable) == [f"/v1/{path}"]


def test_yes_asks_nothing(deletable, at_a_terminal):
    done = at_a_terminal(b"", "datasets", "delete", "wine", "--yes")
    assert (done.returncode, done.stderr) == (0, "deleted dataset 'wine'\n")


def test_scripts_without_a_terminal_are_not_asked(deletable, fitserve):
    """Scripts of earlier releases go on working; `--yes` is accepted."""
    for arguments in ((), ("--yes",)):
        assert fitserve("models", "delete", "wine", *arguments).exit_code == 0
    assert deletions(deletable) == ["/v1/models/wine"] * 2
