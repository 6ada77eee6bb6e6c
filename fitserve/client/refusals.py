"""A class for every problem of docs/problems.md, named after it.

`InvalidSpec` is the problem `/problems/invalid-spec`, and an Unprocessable too: catch the
one or the other.
"""

import re

from fitserve.client.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    ServerError,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unprocessable,
    by_status,
)
from fitserve.problems import Problem


class RequestTimeout(ApiError):
    """408: the request came too slowly."""


class HeadTooLarge(ApiError):
    """431: the headers are larger than the service takes."""


class BadJson(BadRequest):
    """400: the body is not JSON."""


class BadEncoding(BadRequest):
    """400: the packed body cannot be unpacked."""


class BadIdempotencyKey(BadRequest):
    """400: the header cannot be a key."""


class ForbiddenHost(Forbidden):
    """403: without a key the service answers its own machine only."""


class MissingScope(Forbidden):
    """403: the key may not do this."""


class DatasetNotFound(NotFound):
    """404: no dataset has that id or name."""


class RunNotFound(NotFound):
    """404: no run has that id."""


class ModelNotFound(NotFound):
    """404: no model has that name."""


class VersionNotFound(NotFound):
    """404: the model has no such version."""


class AliasNotFound(NotFound):
    """404: the model has no such alias."""


class KeyNotFound(NotFound):
    """404: no API key has that id."""


class ArtifactNotFound(NotFound):
    """404: the version has no such file."""


class WebhookNotFound(NotFound):
    """404: the run was created without a webhook."""


class PlotNotFound(NotFound):
    """404: the run's report has no such picture."""


class ReportNotReady(Conflict):
    """409: the run has not ended, or its baselines have not come."""


class DatasetInUse(Conflict):
    """409: a run that has not ended reads the dataset."""


class DatasetNotReady(Conflict):
    """409: the table is still being read, or could not be."""


class QuotaExceeded(Conflict):
    """409: the workspace would hold more than the key may fill."""


class AliasMoved(Conflict):
    """409: the alias was moved while a promotion was judged."""


class Unscored(Conflict):
    """409: what a promotion requires cannot be judged."""


class RequirementNotMet(Conflict):
    """409: what a promotion requires does not hold."""


class RequestInFlight(Conflict):
    """409: the same request is being worked on."""


class VersionInUse(Conflict):
    """409: an alias points at the version, or at one of the model."""


class InvalidBody(Unprocessable):
    """422: the JSON does not have the form that the route takes."""


class InvalidSpec(Unprocessable):
    """422: the spec cannot be trained on this table."""


class InvalidQuery(BadRequest):
    """400: what stands behind `?` cannot be answered."""


class InvalidRequirement(Unprocessable):
    """422: what a promotion requires has no such form."""


class OverLimit(Unprocessable):
    """422: the run would cost more than the service allows."""


class InvalidTable(Unprocessable):
    """422: the upload cannot be read as a table."""


class InvalidInstances(Unprocessable):
    """422: the rows do not fit the model."""


class IdempotencyKeyReused(Unprocessable):
    """422: the key came with another request before."""


class TooManyRuns(TooManyRequests):
    """429: too many runs wait."""


class InternalError(ServerError):
    """500: a mistake of the service; its log tells more."""


class ReadingFailed(ServerError):
    """500: reading the table stopped by no fault of its own."""


class Unavailable(ServerError):
    """503: not now."""


class PlotFailed(ServerError):
    """503: the picture was not drawn; the numbers are there."""


class NotReady(ServerError):
    """503: a part has failed without which nothing is served well."""


class DatabaseUnavailable(ServerError):
    """503: the database does not answer."""


class ArtifactDamaged(ServerError):
    """503: the file is not the one that was recorded."""


class StorageFull(ServerError):
    """507: the disk of the service is full."""


def _slug(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


BY_SLUG = {
    _slug(kind.__name__): kind
    for kind in (TooLarge, Unauthorized, *globals().values())
    if isinstance(kind, type) and issubclass(kind, ApiError)
}
"""The class of a problem's type; a class of a whole status is some problem's own."""


def refusal(problem: Problem) -> ApiError:
    """The problem as its own class, else as that of its status."""
    slug = problem.type.removeprefix("/problems/")
    kind = BY_SLUG.get(slug, ApiError)
    fitting = by_status(problem.status)
    return (kind if issubclass(kind, fitting) else fitting)(problem)
