"""What can go wrong, as a tree; one handler turns it into problems.

* FitserveError
  x InvalidQuery    400
  x Unauthorized    401
  x MissingScope    403  ForbiddenHost
  x NotFound        404  DatasetNotFound, RunNotFound, VersionNotFound, …
  x Conflict        409  DatasetInUse, QuotaExceeded, RequestInFlight, …
  x Invalid         422  InvalidSpec, InvalidTable, KeyReused, …
  x TooLarge        413
  x TooManyRuns     429  TooManyRequests
  x Unavailable     503  ArtifactDamaged
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from fitserve.names import did_you_mean
from fitserve.problems import FieldError, Problem


class FitserveError(Exception):
    """The root: each class has a fixed slug, title and status."""

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, errors: Iterable[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)

    def problem(self) -> Problem:
        """The error as an RFC 9457 body."""
        return Problem(
            type=f"/problems/{self.slug}",
            title=self.title,
            status=self.status,
            detail=self.detail,
            errors=self.errors,
        )


class AsTold(FitserveError):
    """A problem that another process met and wrote down."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail, problem.errors)
        self._problem = problem

    def problem(self) -> Problem:
        return self._problem


class Unauthorized(FitserveError):
    """No key, or none that is in force."""

    status, slug, title = 401, "unauthorized", "Unauthorized"


class MissingScope(FitserveError):
    """The key is in force, and may not do this."""

    status, slug, title = 403, "missing-scope", "Scope missing"


class ForbiddenHost(FitserveError):
    """Asked under another name than this machine's, where no key is wanted."""

    status, slug, title = 403, "forbidden-host", "Host not allowed"


class InvalidQuery(FitserveError):
    """What stands behind `?` cannot be answered."""

    status, slug, title = 400, "invalid-query", "Invalid query"


class NotFound(FitserveError):
    """Nothing has that name."""

    status = 404
    noun: ClassVar[str] = "thing"

    def __init__(self, name: object, known: Iterable[str] = ()) -> None:
        hint = did_you_mean(name, known)
        detail = f"There is no {self.noun} {str(name)[:200]!r}."
        super().__init__(f"{detail} {hint[:1].upper()}{hint[1:]}".strip())


class DatasetNotFound(NotFound):
    slug, title, noun = "dataset-not-found", "Dataset not found", "dataset"


class RunNotFound(NotFound):
    slug, title, noun = "run-not-found", "Run not found", "run"


class ModelNotFound(NotFound):
    slug, title, noun = "model-not-found", "Model not found", "model"


class VersionNotFound(NotFound):
    slug, title, noun = "version-not-found", "Version not found", "version"


class AliasNotFound(NotFound):
    slug, title, noun = "alias-not-found", "Alias not found", "alias"


class ArtifactNotFound(NotFound):
    slug, title, noun = "artifact-not-found", "Artifact not found", "artifact"


class KeyNotFound(NotFound):
    slug, title, noun = "key-not-found", "Key not found", "API key"


class WebhookNotFound(NotFound):
    slug, title, noun = "webhook-not-found", "Webhook not found", "webhook of the run"


class PlotNotFound(NotFound):
    """No picture of a report has that name, or this report lacks it; `why` says more."""

    slug, title, noun = "plot-not-found", "Plot not found", "plot"

    def __init__(self, name: str, known: Iterable[str], why: str) -> None:
        super().__init__(name, known)
        self.detail = f"{self.detail} {why}"


class Conflict(FitserveError):
    """The request is sound, the state of things forbids it."""

    status = 409


class ReportNotReady(Conflict):
    slug, title = "report-not-ready", "Report not ready"


class DatasetInUse(Conflict):
    slug, title = "dataset-in-use", "Dataset in use"


class DatasetNotReady(Conflict):
    slug, title = "dataset-not-ready", "Dataset not ready"


class VersionInUse(Conflict):
    slug, title = "version-in-use", "Version in use"


class RequirementNotMet(Conflict):
    slug, title = "requirement-not-met", "Requirement not met"


class Unscored(Conflict):
    slug, title = "unscored", "Versions cannot be scored"


class AliasMoved(Conflict):
    slug, title = "alias-moved", "Alias moved meanwhile"


class RequestInFlight(Conflict):
    slug, title = "request-in-flight", "Request in flight"


class Invalid(FitserveError):
    """The body cannot be used as it is."""

    status = 422


class InvalidSpec(Invalid):
    slug, title = "invalid-spec", "Invalid spec"


class OverLimit(Invalid):
    slug, title = "over-limit", "Over a limit of this service"


class InvalidRequirement(Invalid):
    slug, title = "invalid-requirement", "Requirement cannot be read"


class InvalidTable(Invalid):
    slug, title = "invalid-table", "Table cannot be read"


class KeyReused(Invalid):
    slug, title = "idempotency-key-reused", "Idempotency key reused"


class InvalidInstances(Invalid):
    slug, title = "invalid-instances", "Instances do not fit the model"


class QuotaExceeded(Conflict):
    slug, title = "quota-exceeded", "Storage quota exceeded"


class TooLarge(FitserveError):
    status, slug, title = 413, "too-large", "Body too large"


class TooManyRequests(FitserveError):
    """Faster than the key, or the address, may ask."""

    status, slug, title = 429, "too-many-requests", "Too many requests"

    def __init__(self, detail: str, wait_seconds: float) -> None:
        super().__init__(detail)
        self.wait_seconds = wait_seconds


class TooManyRuns(FitserveError):
    status, slug, title = 429, "too-many-runs", "Too many runs are waiting"


class StorageFull(FitserveError):
    status, slug, title = 507, "storage-full", "No space left"


class Unavailable(FitserveError):
    """Not now; asking again may help."""

    status, slug, title = 503, "unavailable", "Unavailable"


class ArtifactDamaged(Unavailable):
    slug, title = "artifact-damaged", "Artifact damaged"


class PlotFailed(Unavailable):
    slug, title = "plot-failed", "Plot not drawn"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The picture could not be drawn. {why} Ask again, or take the numbers from "
            "the same path without the file's ending."
        )


def raise_any(kind: type[Invalid], errors: Sequence[FieldError | None]) -> None:
    """Raise one error that tells all the faults, if there are any."""
    found = [error for error in errors if error is not None]
    if found:
        raise kind(" ".join(f"{e.pointer}: {e.detail}." for e in found), found)
