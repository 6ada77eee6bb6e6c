"""Every problem has an exception of its name."""

import pickle
import re
from pathlib import Path

import pytest

import fitserve
from core import errors
from fitserve import ApiError, InvalidSpec, NotFound, ServerError, Unprocessable
from fitserve.client.errors import by_status
from fitserve.client.refusals import BY_SLUG, refusal
from fitserve.problems import FieldError, Problem
from service import problems  # noqa: F401  its own are among the errors of core

PAGE = (Path(__file__).parents[3] / "docs/problems.md").read_text()
STATUSES = dict(re.findall(r"^## ([a-z-]+)\n(\d{3})", PAGE, re.MULTILINE))
for of_other_protocols in ("unsupported-media", "not-offered", "cannot-load"):
    del STATUSES[of_other_protocols]


def kinds(kind):
    for child in kind.__subclasses__():
        yield child
        yield from kinds(child)


@pytest.mark.parametrize(("slug", "status"), STATUSES.items())
def test_every_heading_with_a_status_has_a_class_below_it(slug, status):
    """`InvalidSpec` for invalid-spec, an Unprocessable; exported by fitserve."""
    kind = BY_SLUG[slug]
    assert issubclass(kind, by_status(int(status)))
    assert getattr(fitserve, kind.__name__) is kind


def test_every_error_of_the_service_has_one_too():
    """By its slug, and of its status."""
    for kind in kinds(errors.FitserveError):
        is_native = not kind.__module__.startswith("service.protocols")
        if "slug" in vars(kind) and is_native:
            assert issubclass(BY_SLUG[kind.slug], by_status(kind.status)), kind


def problem(slug, status, **more):
    told = {"title": "T", "detail": "D.", **more}
    return Problem(type=f"/problems/{slug}", status=status, **told)


def test_a_problem_of_a_later_service_is_an_error_of_its_status():
    """And a name that is known under another status says nothing of it."""
    assert type(refusal(problem("of-tomorrow", 422))) is Unprocessable
    assert type(refusal(problem("of-tomorrow", 502))) is ServerError
    assert type(refusal(problem("of-tomorrow", 418))) is ApiError
    assert type(refusal(problem("invalid-spec", 404))) is NotFound


def test_what_the_lines_say_is_not_said_twice():
    """The service's detail may be those sentences; the title stands for it then."""
    line = FieldError(pointer="#/fit/epochs", detail="got 0", hint="at least 1")
    twice = problem(
        "invalid-spec", 422, detail="#/fit/epochs: got 0. at least 1", errors=[line]
    )
    assert str(refusal(twice)) == "T:\n  #/fit/epochs: got 0 (at least 1)"
    once = problem("invalid-spec", 422, errors=[line])
    assert str(refusal(once)) == "D.\n  #/fit/epochs: got 0 (at least 1)"


def test_an_error_survives_a_process_border():
    """A pool's worker may raise it."""
    error = pickle.loads(pickle.dumps(refusal(problem("invalid-spec", 422))))
    assert type(error) is InvalidSpec
    assert error.problem.detail == "D."
