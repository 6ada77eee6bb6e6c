"""All problem types, each with its status, title and meaning.

The exceptions of the service (`core/errors.py`), the exceptions of the client
(`fitserve/client/problem_errors.py`) and docs/problems.md are made from this table.
"""

from collections.abc import Sequence
from enum import Enum

from fitserve.problems import FieldError, Problem


class Source(Enum):
    """Where a problem appears."""

    API = "in an answer of the API, or in the `error` of a dataset"
    RUN = "in the `error` of a run"
    OTHER = "in the answer of another protocol, or of a path without a route"


class ProblemType(Enum):
    """A problem type; the slug of `RUN_NOT_FOUND` is `run-not-found`."""

    BAD_JSON = (
        400,
        "Body is not valid JSON",
        """The body is not valid JSON. NaN, Infinity, numbers beyond float64, lone
        surrogates, NUL and nesting deeper than 1,000 are not accepted. A key that occurs
        twice in one object is not accepted either. Predict requests use the last value of
        such a key, and may contain NaN and Infinity, which count as missing.""",
    )
    BAD_REQUEST = (
        400,
        "Bad request",
        """The request is malformed: it is not valid HTTP/1.1, the URL contains a NUL
        character, or a header that may occur only once occurs twice.""",
    )
    UNAUTHORIZED = (
        401,
        "Unauthorized",
        """The request needs a valid API key: `Authorization: Bearer <key>`. If the key
        has expired or was revoked, `detail` says so ([keys](keys.md)).""",
    )
    MISSING_SCOPE = (
        403,
        "Scope missing",
        """The API key is valid but does not allow this request; `detail` names the
        required scope.""",
    )
    FORBIDDEN_HOST = (
        403,
        "Host not allowed",
        """Without an API key the service answers only requests from its own machine:
        `Host` and `Origin` must be local, or listed in `FITSERVE_ALLOWED_HOSTS`.""",
    )
    KEY_NOT_FOUND = 404, "Key not found", "No API key has that id."
    DATASET_NOT_FOUND = 404, "Dataset not found", "No dataset has that id or name."
    RUN_NOT_FOUND = 404, "Run not found", "No run has that id."
    MODEL_NOT_FOUND = 404, "Model not found", "No model has that name."
    VERSION_NOT_FOUND = 404, "Version not found", "The model has no such version."
    ALIAS_NOT_FOUND = 404, "Alias not found", "The model has no such alias."
    ARTIFACT_NOT_FOUND = 404, "Artifact not found", "The version has no such file."
    WEBHOOK_NOT_FOUND = (
        404,
        "Webhook not found",
        "The run has no `webhook`.",
    )
    PLOT_NOT_FOUND = (
        404,
        "Plot not found",
        """No plot has that name, or the run's report has no data for it; `detail` gives
        the reason and lists the plots of the report.""",
    )
    REPORT_NOT_READY = (
        409,
        "Report not ready",
        """A run has a report when it has ended (`GET /v1/runs/{id}?wait=30` waits for the
        end). The baselines follow some seconds later.""",
    )
    WEBHOOK_BUSY = (
        409,
        "Webhook busy",
        """The message cannot be sent again now: the run has not ended, or an attempt is
        in progress; `detail` says which.""",
    )
    DATASET_IN_USE = (
        409,
        "Dataset in use",
        """A run that has not ended still reads the dataset; or, if it was to be renamed,
        specs of runs name it.""",
    )
    DATASET_NAME_TAKEN = (
        409,
        "Dataset name taken",
        """Another dataset has this name, or had it before it was deleted. Give another
        name.""",
    )
    VERSION_IN_USE = (
        409,
        "Version in use",
        """An alias points to this version, or to a version of this model, or the version
        serves requests that name no version. Move or delete the alias, or let another
        version serve first.""",
    )
    DATASET_NOT_READY = (
        409,
        "Dataset not ready",
        """The table is still being read (`GET /v1/datasets/{id}?wait=30` waits for that),
        or could not be read; the dataset's `error` gives the reason.""",
    )
    REQUIREMENT_NOT_MET = (
        409,
        "Requirement not met",
        """The condition in `require` of a promotion is false. `detail` gives the figures
        of both versions; the alias is unchanged.""",
    )
    UNSCORED = (
        409,
        "Versions cannot be scored",
        """The condition in `require` of a promotion cannot be evaluated: no rows were
        held out, or the two versions predict different targets.""",
    )
    CONTRACT_BROKEN = (
        409,
        "Version breaks callers",
        """Requests that the present version accepts would be refused by the new version,
        or would get other answers; `errors` has each difference. To promote the version
        nevertheless, send `"allow_new_contract": true`.""",
    )
    NOTHING_TO_UNDO = (
        409,
        "Nothing to undo",
        """No change of the alias or of the serving version is left to undo, or the
        version before the change was deleted.""",
    )
    ALIAS_MOVED = (
        409,
        "Alias moved by another request",
        """Another request moved the alias or the serving version while `require` was
        evaluated. Send the request again.""",
    )
    REQUEST_IN_FLIGHT = (
        409,
        "Request in flight",
        """An earlier request with the same `Idempotency-Key` is still in progress. Send
        the request again after `Retry-After` seconds.""",
    )
    TOO_LARGE = (
        413,
        "Body too large",
        "The body, or its number of rows, exceeds the limit.",
    )
    REQUEST_TIMEOUT = (
        408,
        "Request Timeout",
        """The request line and headers did not arrive within
        `FITSERVE_LIMITS__HEAD_SECONDS`, or the body came more slowly than
        `FITSERVE_LIMITS__BODY_SECONDS` and `FITSERVE_LIMITS__BODY_BYTES_PER_SECOND`
        allow.""",
    )
    HEAD_TOO_LARGE = (
        431,
        "Request Header Fields Too Large",
        "The request line and headers are larger than `FITSERVE_LIMITS__MAX_HEAD_BYTES`.",
    )
    INVALID_BODY = (
        422,
        "Invalid body",
        "The body is valid JSON but does not have the form that the route expects.",
    )
    INVALID_SPEC = (
        422,
        "Invalid spec",
        "The spec has the right form but cannot be trained on this table.",
    )
    OVER_LIMIT = (
        422,
        "Limit of this service exceeded",
        """The run would exceed a limit of this service; `detail` gives the run's figure
        and the limit.""",
    )
    INVALID_REQUIREMENT = (
        422,
        "Invalid requirement",
        """The `require` of a promotion names a metric that the model does not have, or
        its value does not have a form such as `">= current"`.""",
    )
    INVALID_QUERY = (
        400,
        "Invalid query",
        "A parameter in the query string is unknown or has an invalid value.",
    )
    INVALID_TABLE = (
        422,
        "Table cannot be read",
        "The uploaded file cannot be read as a table; `detail` names the line.",
    )
    INVALID_INSTANCES = (
        422,
        "Instances do not fit the model",
        """The rows do not fit the model; `errors` names row and column. A strict request
        (`?strict=true`, `Prefer: handling=strict`) is also refused if a row causes a
        [warning](values.md).""",
    )
    BAD_ENCODING = (
        400,
        "Body cannot be decompressed",
        """`Content-Encoding` is neither gzip nor deflate, or the compressed body is
        damaged.""",
    )
    BAD_IDEMPOTENCY_KEY = (
        400,
        "Bad idempotency key",
        """`Idempotency-Key` occurs twice, is empty, is longer than 255 characters, or has
        characters other than visible ASCII.""",
    )
    IDEMPOTENCY_KEY_REUSED = (
        422,
        "Idempotency key reused",
        """An earlier, different request had the same `Idempotency-Key`. Use a key again
        only to repeat exactly the same request.""",
    )
    UNSUPPORTED_MEDIA = (
        415,
        "Unsupported media type",
        "The route does not accept the body's `Content-Type` (MLflow's routes).",
        Source.OTHER,
    )
    NOT_OFFERED = (
        404,
        "Not offered",
        "The service does not support this extension of the protocol.",
        Source.OTHER,
    )
    CANNOT_LOAD = (
        400,
        "Model cannot be loaded",
        "The model cannot be loaded or unloaded (Open Inference's repository).",
        Source.OTHER,
    )
    TOO_MANY_REQUESTS = (
        429,
        "Too many requests",
        """The key exceeds its request rate, or too many wrong keys came from this
        address. Send the request again after `Retry-After` seconds.""",
    )
    QUOTA_EXCEEDED = (
        409,
        "Storage quota exceeded",
        """The upload would exceed the key's storage quota for the workspace. Delete
        datasets first.""",
    )
    TOO_MANY_RUNS = (
        429,
        "Too many runs are waiting",
        "Too many runs are queued. Try again later.",
    )
    READING_FAILED = (
        500,
        "Reading failed",
        """An internal error occurred while the service read a dataset; the file itself
        may be valid.""",
    )
    INTERNAL_ERROR = (
        500,
        "Internal error",
        "A bug in the service. The service's log has an entry with the `request_id`.",
    )
    NAN_LOSS = (
        500,
        "Loss is not a number",
        "The loss became NaN or infinite. Lower the learning rate.",
        Source.RUN,
    )
    TIME_LIMIT = (
        500,
        "Time limit",
        """Training did not stop at the time limit because a step did not end. (A run
        that stops at its time limit succeeds with `stop_reason: time_limit`.)""",
        Source.RUN,
    )
    OUT_OF_MEMORY = (
        500,
        "Out of memory",
        "Training needed more memory than the worker has.",
        Source.RUN,
    )
    TRAINING_FAILED = (
        500,
        "Training failed",
        "Training stopped with an error, which `detail` names.",
        Source.RUN,
    )
    WORKER_LOST = (
        500,
        "Worker lost",
        """The process that trained the run died on every attempt. A dataset has this
        problem if the process that read the dataset died on every attempt.""",
        Source.RUN,
    )
    UNAVAILABLE = 503, "Unavailable", "A temporary error. Send the request again."
    NOT_READY = (
        503,
        "Not ready",
        """The response of `/health/ready` if a part that the service needs has failed:
        the database, its migrations, or the storage folder. `parts` has the state of
        each part.""",
    )
    DATABASE_UNAVAILABLE = (
        503,
        "Database unavailable",
        "The database does not respond; nothing was changed. Send the request again.",
    )
    STORAGE_UNAVAILABLE = (
        503,
        "Storage unavailable",
        """The store of files does not answer, or refuses requests. No file is lost; send
        the request again.""",
    )
    ARTIFACT_DAMAGED = (
        503,
        "Artifact damaged",
        """The stored file of a version is missing or differs from the recorded checksum.
        Other versions can still be used.""",
    )
    PLOT_FAILED = (
        503,
        "Plot not drawn",
        """The process that draws plots died or took too long. The data of the plot is at
        the same path without `.svg` or `.png`.""",
    )
    STORAGE_FULL = 507, "No space left", "The disk is full; nothing was stored."
    HTTP_400 = 400, "Bad request", "The request cannot be parsed.", Source.OTHER
    HTTP_404 = 404, "No such route", "No route has that path.", Source.OTHER
    HTTP_405 = (
        405,
        "Method not allowed",
        "The path exists, but not for this method; `Allow` lists the methods.",
        Source.OTHER,
    )
    HTTP_413 = 413, "Body too large", "The body is too large for the route.", Source.OTHER
    HTTP_415 = (
        415,
        "Unsupported media type",
        "The route does not accept the body's `Content-Type`.",
        Source.OTHER,
    )

    def __init__(
        self, status: int, title: str, meaning: str, source: Source = Source.API
    ) -> None:
        self.status = status
        self.title = title
        self.meaning = " ".join(meaning.split())
        self.source = source

    @property
    def slug(self) -> str:
        """Return the last part of the type's URI, a heading in docs/problems.md."""
        return self.name.lower().replace("_", "-")

    @property
    def uri(self) -> str:
        """Return the `type` of a problem."""
        return f"/problems/{self.slug}"

    @property
    def error_name(self) -> str:
        """Return the name of the client's exception class."""
        return "".join(part.capitalize() for part in self.name.split("_"))

    def problem(self, detail: str, errors: Sequence[FieldError] = ()) -> Problem:
        """Return a problem of this type."""
        return Problem(
            type=self.uri,
            title=self.title,
            status=self.status,
            detail=detail,
            errors=list(errors),
        )


RAISED = [kind for kind in ProblemType if kind.source is Source.API]
"""The types that the client raises, each as a separate exception class."""
