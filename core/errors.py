"""The errors of the service; each class names its entry in the table of problem types."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from fitserve.names import did_you_mean
from fitserve.problem_types import ProblemType
from fitserve.problems import FieldError, Problem

_MOST_IN_DETAIL = 20


class FitserveError(Exception):
    """The root of all errors that become problems."""

    problem_type: ClassVar[ProblemType] = ProblemType.INTERNAL_ERROR

    def __init__(self, detail: str, errors: Iterable[FieldError] = ()) -> None:
        self.detail = _capitalized(detail)
        self.errors = list(errors)
        super().__init__(self.detail)

    def problem(self) -> Problem:
        """Return the error as an RFC 9457 body."""
        return self.problem_type.problem(self.detail, self.errors)


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


class RemoteProblem(FitserveError):
    """A problem that another process stored."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail, problem.errors)
        self._problem = problem

    def problem(self) -> Problem:
        return self._problem


class BadRequest(FitserveError):
    problem_type = ProblemType.BAD_REQUEST


class InvalidQuery(FitserveError):
    problem_type = ProblemType.INVALID_QUERY


class Unauthorized(FitserveError):
    problem_type = ProblemType.UNAUTHORIZED


class MissingScope(FitserveError):
    problem_type = ProblemType.MISSING_SCOPE


class ForbiddenHost(FitserveError):
    problem_type = ProblemType.FORBIDDEN_HOST


class NotFound(FitserveError):
    """An error about an object that does not exist; `noun` names its kind."""

    noun: ClassVar[str]

    def __init__(self, name: object, known: Iterable[str] = ()) -> None:
        hint = _capitalized(did_you_mean(name, known))
        super().__init__(f"There is no {self.noun} {str(name)[:200]!r}. {hint}".strip())


class DatasetNotFound(NotFound):
    problem_type, noun = ProblemType.DATASET_NOT_FOUND, "dataset"


class RunNotFound(NotFound):
    problem_type, noun = ProblemType.RUN_NOT_FOUND, "run"


class ModelNotFound(NotFound):
    problem_type, noun = ProblemType.MODEL_NOT_FOUND, "model"


class VersionNotFound(NotFound):
    problem_type, noun = ProblemType.VERSION_NOT_FOUND, "version"


class AliasNotFound(NotFound):
    problem_type, noun = ProblemType.ALIAS_NOT_FOUND, "alias"


class ArtifactNotFound(NotFound):
    problem_type, noun = ProblemType.ARTIFACT_NOT_FOUND, "artifact"


class KeyNotFound(NotFound):
    problem_type, noun = ProblemType.KEY_NOT_FOUND, "API key"


class WebhookNotFound(NotFound):
    problem_type, noun = ProblemType.WEBHOOK_NOT_FOUND, "webhook of the run"


class PlotNotFound(NotFound):
    """An error about an unknown plot, or a plot without data; `why` gives the reason."""

    problem_type, noun = ProblemType.PLOT_NOT_FOUND, "plot"

    def __init__(self, name: str, known: Iterable[str], why: str) -> None:
        super().__init__(name, known)
        self.detail = f"{self.detail} {why}"


class ReportNotReady(FitserveError):
    problem_type = ProblemType.REPORT_NOT_READY


class WebhookBusy(FitserveError):
    problem_type = ProblemType.WEBHOOK_BUSY


class DatasetInUse(FitserveError):
    problem_type = ProblemType.DATASET_IN_USE


class DatasetNameTaken(FitserveError):
    problem_type = ProblemType.DATASET_NAME_TAKEN


class DatasetNotReady(FitserveError):
    problem_type = ProblemType.DATASET_NOT_READY


class VersionInUse(FitserveError):
    problem_type = ProblemType.VERSION_IN_USE


class RequirementNotMet(FitserveError):
    problem_type = ProblemType.REQUIREMENT_NOT_MET


class CannotScore(FitserveError):
    problem_type = ProblemType.UNSCORED


class ContractBroken(FitserveError):
    problem_type = ProblemType.CONTRACT_BROKEN


class NothingToUndo(FitserveError):
    problem_type = ProblemType.NOTHING_TO_UNDO


class AliasMoved(FitserveError):
    problem_type = ProblemType.ALIAS_MOVED


class RequestInFlight(FitserveError):
    problem_type = ProblemType.REQUEST_IN_FLIGHT


class QuotaExceeded(FitserveError):
    problem_type = ProblemType.QUOTA_EXCEEDED


class Invalid(FitserveError):
    """An error about an invalid request body; subclasses give the kind of fault."""

    problem_type = ProblemType.INVALID_BODY


class InvalidSpec(Invalid):
    problem_type = ProblemType.INVALID_SPEC


class OverLimit(Invalid):
    problem_type = ProblemType.OVER_LIMIT


class InvalidRequirement(Invalid):
    problem_type = ProblemType.INVALID_REQUIREMENT


class InvalidTable(Invalid):
    problem_type = ProblemType.INVALID_TABLE


class InvalidInstances(Invalid):
    problem_type = ProblemType.INVALID_INSTANCES


class KeyReused(Invalid):
    problem_type = ProblemType.IDEMPOTENCY_KEY_REUSED


class TooLarge(FitserveError):
    problem_type = ProblemType.TOO_LARGE


class TooManyRequests(FitserveError):
    """An error about a key or an address that sends requests too fast."""

    problem_type = ProblemType.TOO_MANY_REQUESTS

    def __init__(self, detail: str, wait_seconds: float) -> None:
        super().__init__(detail)
        self.wait_seconds = wait_seconds


class TooManyRuns(FitserveError):
    problem_type = ProblemType.TOO_MANY_RUNS


class StorageFull(FitserveError):
    problem_type = ProblemType.STORAGE_FULL


class Unavailable(FitserveError):
    problem_type = ProblemType.UNAVAILABLE


class StorageUnavailable(FitserveError):
    """An error about a store of files that, for example, "does not answer"."""

    problem_type = ProblemType.STORAGE_UNAVAILABLE

    def __init__(self, what: str) -> None:
        self.reason = f"The store of files {what}."
        super().__init__(
            f"{self.reason} No file is lost. Send the request again when /health/ready "
            "reports that the storage is ok."
        )


class ArtifactDamaged(FitserveError):
    problem_type = ProblemType.ARTIFACT_DAMAGED


class PlotFailed(FitserveError):
    problem_type = ProblemType.PLOT_FAILED

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The plot could not be drawn. {why} Try again, or read its data at the same "
            "path without the file extension."
        )


def raise_any(kind: type[Invalid], errors: Sequence[FieldError | None]) -> None:
    """Raise one error that lists all the faults, if there are any.

    Its detail has the first ones, because a table may have thousands of columns.
    """
    found = [error for error in errors if error is not None]
    if found:
        detail = " ".join(f"{e.pointer}: {e.detail}." for e in found[:_MOST_IN_DETAIL])
        more = len(found) - _MOST_IN_DETAIL
        detail += f" `errors` lists {more:,} more." if more > 0 else ""
        raise kind(detail, found)
