"""Reduce answers to the facts that every later release must repeat.

Sentences and added keys may change between releases; these facts may not.
"""

import json
from typing import Any, Protocol

from tests.service.auth.keys import bearing

Json = dict[str, Any]


class Client(Protocol):
    """A client that sends requests as httpx does."""

    def request(self, method: str, url: str, **given: Any) -> Any:
        """Send a request."""


def exchange(client: Client, asked: Json, key: str) -> Json:
    """Return the status of the response, and its body or the type of its problem."""
    found = client.request(
        asked["method"], asked["path"], json=asked["body"], headers=bearing(key)
    )
    answer = found.json()
    if not found.is_success:
        return {"status": found.status_code, "type": answer.get("type")}
    return {"status": found.status_code, "answer": _without_sentences(answer)}


def _without_sentences(answer: Json) -> Json:
    """Reduce each warning to its row and column."""
    answer = dict(answer)
    if "warnings" in answer:
        answer["warnings"] = _places(answer["warnings"])
    parameters = answer.get("parameters") or {}
    if "warnings" in parameters:
        warnings = parameters["warnings"]
        places = _places(json.loads(warnings) if isinstance(warnings, str) else warnings)
        answer["parameters"] = {**parameters, "warnings": places}
    return answer


def _places(warnings: list[Json] | None) -> list[list[Any]]:
    found = {(w["row"], w["column"]) for w in warnings or []}
    return [list(place) for place in sorted(found, key=str)]


def facts(client: Client, headers: Json) -> Json:
    """Return the contents of a workspace: datasets, runs, models and their versions."""

    def get(path: str) -> Any:
        found = client.request("GET", path, headers=headers)
        assert found.status_code == 200, (path, found.text)
        return found.json()

    runs = get("/v1/runs?limit=100")["items"]
    models = get("/v1/models?limit=100")["items"]
    return {
        "datasets": [_dataset(d) for d in get("/v1/datasets?limit=100")["items"]],
        "runs": [_run(run) for run in runs],
        "histories": {r["id"]: get(f"/v1/runs/{r['id']}/history") for r in runs},
        "reports": {r["id"]: _report(get(f"/v1/runs/{r['id']}/report")) for r in runs},
        "models": [
            _pick(m, "name", "latest_version", "versions", "aliases") for m in models
        ],
        "versions": [
            _version(get(path), get(f"{path}/weights"))
            for model in models
            for number in model["versions"]
            if (path := f"/v1/models/{model['name']}/versions/{number}")
        ],
    }


def _pick(answer: Json, *names: str) -> Json:
    return {name: answer[name] for name in names}


def _dataset(dataset: Json) -> Json:
    names = ("id", "name", "status", "digest", "filename", "num_bytes", "num_rows")
    columns = [_pick(c, "name", "type", "missing", "unique") for c in dataset["columns"]]
    return {**_pick(dataset, *names), "columns": columns}


def _run(run: Json) -> Json:
    names = (
        *("id", "status", "stop_reason", "model_name", "model_version", "dataset"),
        *("target", "task", "num_params", "num_rows", "tags", "best_epoch", "kept_fit"),
        *("metrics", "attempt"),
    )
    error = run["error"] and run["error"]["type"]
    epochs = _pick(run["progress"], "epoch", "epochs")
    return {**_pick(run, *names), "error": error, "progress": epochs}


def _report(report: Json) -> Json:
    names = (
        *("status", "model_version", "task", "target", "num_params", "num_rows"),
        *("held_out", "metrics", "training_metrics", "classification", "importance"),
    )
    baselines = report["baselines"]
    return {
        **_pick(report, *names),
        "baselines": {r["name"]: r["metrics"] for r in baselines["results"]},
        "baselines_status": baselines["status"],
        "plots": sorted(report["plots"]),
    }


def _version(version: Json, weights: Json) -> Json:
    names = (
        *("model_name", "version", "run_id", "task", "target", "aliases", "metrics"),
        *("headline", "best_epoch", "num_params", "artifacts"),
    )
    features = version["signature"]["features"]
    return {
        **_pick(version, *names),
        "features": [_pick(feature, "name", "type") for feature in features],
        "inputs": weights["inputs"],
        "weights": [_sums(layer) for layer in weights["layers"]],
    }


def _sums(layer: Json) -> Json:
    arrays = [
        {**_pick(array, "name", "shape"), "sum": _sum(array["values"])}
        for array in layer["weights"]
    ]
    return {**_pick(layer, "index", "type"), "weights": arrays}


def _sum(values: Any) -> float:
    if isinstance(values, list):
        return sum(_sum(value) for value in values)
    return float(values)


def differences(expected: Any, found: Any, place: str = "#") -> list[str]:
    """Return the differences between an answer and the recorded one, without added keys."""
    if isinstance(expected, dict) and isinstance(found, dict):
        missing = [f"{place}/{name}: missing" for name in expected if name not in found]
        pairs = [(expected[n], found[n], f"{place}/{n}") for n in expected if n in found]
    elif isinstance(expected, list) and isinstance(found, list):
        missing = [f"{place}: {len(found)} items, expected {len(expected)}"]
        missing = missing if len(found) != len(expected) else []
        pairs = [
            (e, f, f"{place}/{i}")
            for i, (e, f) in enumerate(zip(expected, found, strict=False))
        ]
    else:
        return (
            []
            if _is_close(expected, found)
            else [f"{place}: {found!r}, expected {expected!r}"]
        )
    return missing + [line for e, f, p in pairs for line in differences(e, f, p)]


def _is_close(expected: Any, found: Any) -> bool:
    if isinstance(expected, float) and isinstance(found, int | float):
        return abs(expected - found) <= 1e-6 * max(1.0, abs(expected))
    return bool(expected == found) and type(expected) is type(found)
