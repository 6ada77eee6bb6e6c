"""Which scope a request wants, by its method and path alone."""

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
_READS = ("GET", "HEAD")
_LOADS = ("/ready", "/ping", "/health")
_INDEX = "/v2/repository/index"
_OWN_KEY = "/v1/keys/current"

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
"""What reading, and what everything else wants, by the beginning of the path."""


def scope_of(method: str, path: str) -> Scope | None:
    """The scope; None where any key will do, as it tells nothing of any workspace."""
    if method == "POST" and path.endswith(PREDICTS):
        return Scope.MODELS_PREDICT
    if path == _OWN_KEY and method in _READS:
        return None
    noun = path.split("/", 3)[1:3] or [""]  # `OPTIONS *` names no path
    if noun[0] == "mlflow" or (noun == ["v2", "models"] and path.endswith("/ready")):
        return None if path.endswith("/version") else Scope.MODELS_PREDICT
    pair = _NOUNS.get("/".join(noun)) or _NOUNS.get(noun[0])
    if pair is None:
        return None
    reads = method in _READS or path == _INDEX
    return pair[0] if reads else pair[1]


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
