"""Test that `delete` asks at a terminal, and only there."""

import json
import os
import pty
import subprocess

import pytest

from tests.e2e_service import FITSERVE
from tests.fitserve.client import bodies
from tests.fitserve.client.wire import Answer


@pytest.fixture
def deletable(wire):
    wire.answers("GET /v1/datasets/wine", bodies.dataset(version=3))
    older = bodies.dataset(id="ds_0", version=2, num_rows=1)
    wire.answers("GET /v1/datasets", bodies.page(older))
    wire.answers("GET /v1/models/wine/changes", bodies.page())
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
    assert "Delete version 3 of the dataset 'wine' (3 rows, " in done.stderr
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
    assert done.returncode == 0
    assert done.stderr == (
        "deleted version 3 of the dataset 'wine' (wine@3, ds_1); the newest version is "
        "wine@2 (1 row)\n"
    )


def test_the_last_version_of_a_dataset_is_said_to_be_the_last(deletable, fitserve):
    deletable.answers("GET /v1/datasets", bodies.page())
    done = fitserve("datasets", "delete", "wine")
    assert done.stderr.endswith("(wine@3, ds_1); no other version is left\n")
    printed = json.loads(fitserve("datasets", "delete", "wine", "--json").stdout)
    assert printed == {"deleted": "wine", "id": "ds_1", "version": 3}


CHANGES = [
    bodies.change(4, before=2, after=3, undoes=None),
    bodies.change(3, before=3, after=2, undoes=2),
    bodies.change(2, before=2, after=3, undoes=None),
    bodies.change(1, before=None, after=2, undoes=None),
]


def test_a_version_that_a_rollback_needs_is_deleted_with_a_warning(
    deletable, at_a_terminal, fitserve
):
    """The question says so, and so does the message if nobody was asked."""
    deletable.answers("GET /v1/models/wine/changes", bodies.page(*CHANGES))
    lost = "(it served before; no rollback can go back to a deleted version)"
    arguments = ("models", "delete", "wine", "--version", "2")
    done = at_a_terminal(b"n\n", *arguments)
    assert f"Delete version 2 of the model 'wine' {lost}?" in done.stderr
    assert fitserve(*arguments, "--yes").stderr.endswith(f"'wine' {lost}\n")
    alias = [bodies.change(5, alias="live", before=2, after=3, undoes=None)]
    deletable.answers("GET /v1/models/wine/changes", bodies.page(*alias))
    assert "the alias 'live' pointed to it" in fitserve(*arguments).stderr
    undone = [bodies.change(5, before=3, after=2, undoes=4), *CHANGES]
    deletable.answers("GET /v1/models/wine/changes", bodies.page(*undone))
    assert fitserve(*arguments).stderr == "deleted version 2 of model 'wine'\n"


def test_scripts_without_a_terminal_are_not_asked(deletable, fitserve):
    """Scripts of earlier releases go on working; `--yes` is accepted."""
    for arguments in ((), ("--yes",)):
        assert fitserve("models", "delete", "wine", *arguments).exit_code == 0
    assert deletions(deletable) == ["/v1/models/wine"] * 2
