"""Test that every problem type has an exception."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import fitserve
from fitserve import (
    ApiError,
    ConnectionFailed,
    InvalidSpec,
    NotFound,
    RunFailed,
    ServerError,
    UnexpectedAnswer,
    Unprocessable,
)
from fitserve.client.errors import by_status
from fitserve.client.problem_errors import error_from_problem
from fitserve.problem_types import RAISED, ProblemType
from fitserve.problems import FieldError, Problem
from fitserve.schemas.runs import RunRead

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: kind.slug)
def test_a_problem_raises_the_exception_of_its_name(kind):
    """fitserve exports it, and it is a subclass of the class of its status."""
    error = error_from_problem(kind.problem("D."))
    assert type(error) is getattr(fitserve, kind.error_name)
    assert isinstance(error, by_status(kind.status))


@pytest.mark.parametrize("kind", [kind for kind in ProblemType if kind not in RAISED])
def test_other_problems_raise_the_class_of_their_status(kind):
    """Examples are the error of a run, and the problem of an unknown path."""
    assert type(error_from_problem(kind.problem("D."))) is by_status(kind.status)
    assert not hasattr(fitserve, kind.error_name)


def problem(slug, status, **more):
    body = {"title": "T", "detail": "D.", **more}
    return Problem(type=f"/problems/{slug}", status=status, **body)


def test_an_unknown_problem_raises_the_class_of_its_status():
    """A known type with another status is unknown, too."""
    assert type(error_from_problem(problem("of-tomorrow", 422))) is Unprocessable
    assert type(error_from_problem(problem("of-tomorrow", 502))) is ServerError
    assert type(error_from_problem(problem("of-tomorrow", 418))) is ApiError
    assert type(error_from_problem(problem("invalid-spec", 404))) is NotFound


def test_details_of_fields_are_not_repeated():
    """If the detail repeats the lines of the fields, the title replaces it."""
    line = FieldError(pointer="#/fit/epochs", detail="got 0", hint="at least 1")
    twice = problem(
        "invalid-spec", 422, detail="#/fit/epochs: got 0. at least 1", errors=[line]
    )
    assert str(error_from_problem(twice)) == "T:\n  #/fit/epochs: got 0 (at least 1)"
    once = problem("invalid-spec", 422, errors=[line])
    assert str(error_from_problem(once)) == "D.\n  #/fit/epochs: got 0 (at least 1)"


def test_an_error_can_be_pickled():
    """A worker of a process pool may raise it."""
    error = pickle.loads(pickle.dumps(error_from_problem(problem("invalid-spec", 422))))
    assert type(error) is InvalidSpec
    assert error.problem.detail == "D."


@pytest.mark.parametrize("kind", [ConnectionFailed, UnexpectedAnswer])
def test_an_error_without_a_problem_can_be_pickled(kind):
    """Type and text are kept."""
    error = kind("http://a", "no reason")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (kind, str(error))


def test_a_failed_run_can_be_pickled():
    """The error keeps its run."""
    error = RunFailed(RunRead.model_construct(id="run_1", error=None))
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.run.id) == (str(error), "run_1")


def test_type_checkers_find_every_public_name(tmp_path):
    """A name that is missing in the stub would be Any, or an error."""
    program = tmp_path / "program.py"
    names = [name for name in fitserve.__all__ if name != "__version__"]
    listed = ", ".join(f"fitserve.{name}" for name in names)
    program.write_text(f"import fitserve\n\nkinds: list[type] = [{listed}]\n")
    checked = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent"]
    options = ["--config-file=", f"--cache-dir={tmp_path}", str(program)]
    done = subprocess.run(
        [*checked, *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
