"""Which scope a request wants, by its method and path alone."""

import re

from fitserve.scopes import Scope

PREDICTS = ("/predict", ":predict", ":classify", ":regress", "/infer", "/invocations")
OPEN = frozenset(
    {
        *("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"),
        *("/ping", "/health"),
        *("/", "/docs", "/redoc", "/openapi.json"),
    }
)
"""Probes need no key: they tell nothing but that the service is there. Nor do the pages
for browsers, which tell what is in the package and ask for a key themselves."""
OPEN_FOLDERS = ("/dashboard/", "/docs/files/")
ANY_KEY = frozenset({"/version", "/v2", "/v1/keys/current"})
"""Reading these needs a valid key and no scope: they tell nothing of any workspace, and
the last one only what the key itself is. `/mlflow/<model>/version` is another."""
_READS = ("GET", "HEAD")
_WRITES = ("POST", "PUT", "DELETE")
_VERSION = re.compile(r"/mlflow/[^/]+/version")
_READY = re.compile(r"/mlflow/[^/]+/(ping|health)|/v2/models/[^/]+(/.+)?/ready")
_INDEX = "/v2/repository/index"
_PREDICTED = ("/v1/models/", "/v2/models/", "/mlflow/")
_PREDICTED_ALONE = ("/v1/predict", "/invocations")

Pair = tuple[Scope, Scope]
_DATASETS: Pair = (Scope.DATASETS_READ, Scope.DATASETS_WRITE)
_RUNS: Pair = (Scope.RUNS_READ, Scope.RUNS_WRITE)
_MODELS: Pair = (Scope.MODELS_READ, Scope.MODELS_WRITE)
_NOUNS: dict[str, Pair] = {
    "v1/datasets": _DATASETS,
    "v1/files": _DATASETS,
    "v1/runs": _RUNS,
    "v1/fine_tuning": _RUNS,
    "v1/models": _MODELS,
    "v2/models": _MODELS,
    "v2/repository": _MODELS,
    "v1/keys": (Scope.ADMIN, Scope.ADMIN),
    "metrics": (Scope.METRICS_READ, Scope.METRICS_READ),
}
"""The scopes of reading and of writing, by the beginning of the path."""


def scope_of(method: str, path: str) -> Scope | None:
    """Return the scope that a request needs; None where any valid key will do.

    A path or a method that is not known here needs the most powerful scope, so that a
    route which nobody entered is closed.
    """
    if method == "POST" and path.endswith(PREDICTS) and _predicts(path):
        return Scope.MODELS_PREDICT
    if method in _READS:
        return _scope_of_reading(path)
    if method not in _WRITES:
        return Scope.ADMIN
    read, write = _pair(path)
    return read if path == _INDEX else write


def _predicts(path: str) -> bool:
    return path.startswith(_PREDICTED) or path in _PREDICTED_ALONE


def _scope_of_reading(path: str) -> Scope | None:
    if path.rstrip("/") in ANY_KEY or _VERSION.fullmatch(path):
        return None
    if _READY.fullmatch(path):
        return Scope.MODELS_PREDICT
    return _pair(path)[0]


def _pair(path: str) -> Pair:
    noun = path.split("/", 3)[1:3] or [""]  # `OPTIONS *` names no path
    found = _NOUNS.get("/".join(noun)) or _NOUNS.get(noun[0])
    return found or (Scope.ADMIN, Scope.ADMIN)


_GRPC = {
    "ServerLive": None,
    "ServerReady": None,
    "ServerMetadata": None,
    "ModelReady": Scope.MODELS_PREDICT,
    "ModelInfer": Scope.MODELS_PREDICT,
    "ModelStreamInfer": Scope.MODELS_PREDICT,
    "ModelMetadata": Scope.MODELS_READ,
    "RepositoryIndex": Scope.MODELS_READ,
    "RepositoryModelLoad": Scope.MODELS_WRITE,
    "RepositoryModelUnload": Scope.MODELS_WRITE,
}


def scope_of_call(method: str) -> Scope | None:
    """The same for a method of Open Inference's gRPC service."""
    return _GRPC.get(method.rpartition("/")[2], Scope.ADMIN)
