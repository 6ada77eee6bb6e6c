"""The errors of the service and their entries in the table of problem types."""

import pytest

import service.app  # noqa: F401  defines the errors of the service
from core.errors import Invalid, InvalidSpec, NotFound, RunNotFound, raise_any
from fitserve.problem_types import ProblemType
from fitserve.problems import FieldError


def below(kind):
    return {child for sub in kind.__subclasses__() for child in (sub, *below(sub))}


@pytest.mark.parametrize(("base", "status"), [(NotFound, 404), (Invalid, 422)])
def test_a_class_has_the_status_of_its_base(base, status):
    """Code that catches the base class thus catches the status."""
    assert {kind.problem_type.status for kind in below(base)} == {status}


def test_an_error_becomes_a_problem_of_its_type():
    """Type, title and status come from the table; the detail is a sentence."""
    problem = InvalidSpec("no column is left.").problem()
    assert problem == ProblemType.INVALID_SPEC.problem("No column is left.")
    assert (problem.type, problem.status) == ("/problems/invalid-spec", 422)
    assert problem.title == "Invalid spec"


def test_a_not_found_error_suggests_the_nearest_name():
    message = str(RunNotFound("run_1", ["run_2"]))
    assert message == "There is no run 'run_1'. Did you mean `run_2`?"


def test_the_detail_of_thousands_of_errors_is_short():
    lines = [FieldError(pointer=f"#/{i}", detail="is wrong") for i in range(2000)]
    with pytest.raises(InvalidSpec, match=r"`errors` lists 1,980 more\.$") as caught:
        raise_any(InvalidSpec, lines)
    assert len(caught.value.errors) == 2000
    assert len(caught.value.detail) < 1000
    with pytest.raises(InvalidSpec, match=r"#/19: is wrong\.$"):
        raise_any(InvalidSpec, lines[:20])
