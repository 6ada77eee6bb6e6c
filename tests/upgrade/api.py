"""A client of one API process, which compares answers of two releases."""

import csv
import re
from pathlib import Path
from typing import Any

import httpx

from tests.timing import until

_ENDED = ("succeeded", "failed", "cancelled")
_CHANGING = ("/health/", "/metrics")
"""Starts of paths whose answers depend on the moment."""


class Api:
    """An API process at a URL."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=60)

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, status: int = 200, **given: Any) -> Any:
        """Return the body of an answer, which must have this status."""
        answer = self._http.request(method, path, **given)
        assert answer.status_code == status, (method, path, answer.text)
        return answer.json()

    def is_ready(self, *parts: str) -> bool:
        """Return whether the parts of the service, such as its workers, are ok."""
        try:
            answer = self._http.get("/health/ready")
        except httpx.TransportError:
            return False
        found = answer.json()["parts"]
        return all(found[part]["status"] == "ok" for part in parts)

    def post(self, model: str, **fit: Any) -> str:
        """Post a run on the table `diabetes`; return its id."""
        body = {
            "dataset": "diabetes@1",
            "target": "progression",
            "model_name": model,
            "model": {"layers": [{"type": "Dense", "units": 8}, {"type": "Output"}]},
            "fit": {"seed": 1, "epochs": 3, **fit},
        }
        return str(self.ask("POST", "/v1/runs", 202, json=body)["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        """Return the current state of a run."""
        found: dict[str, Any] = self.ask("GET", f"/v1/runs/{run_id}")
        return found

    def epoch(self, run_id: str) -> int:
        """Return the number of recorded epochs."""
        return int(self.run(run_id)["progress"]["epoch"])

    def until_epoch(self, run_id: str, epoch: int) -> None:
        until(lambda: self.epoch(run_id) >= epoch, 90)

    def until_ended(self, run_id: str) -> dict[str, Any]:
        """Return the run after its end."""
        until(lambda: self.run(run_id)["status"] in _ENDED, 240)
        return self.run(run_id)

    def history(self, run_id: str) -> dict[str, Any]:
        """Return all recorded epochs of a run."""
        found: dict[str, Any] = self.ask("GET", f"/v1/runs/{run_id}/history")
        return found

    def predict(self, table: Path) -> list[float]:
        """Return the predictions of the model `served` for the first rows of a table."""
        with table.open() as file:
            rows = list(csv.DictReader(file))[:20]
        for row in rows:
            del row["progression"]
        numbers = [{name: float(cell) for name, cell in row.items()} for row in rows]
        body = {"model": "served", "instances": numbers}
        found: list[float] = self.ask("POST", "/v1/predict", json=body)["predictions"]
        return found

    def reads(self, run_id: str) -> dict[str, Any]:
        """Return status and content of each GET route about the model and its run.

        The paths are those of this API's own schema. A problem names its request, so that
        only its status counts.
        """
        values = {
            "{name}": "served",
            "{number}": "1",
            "{alias}": "live",
            "{ref}": "diabetes@1",
            "{run_id}": run_id,
            "{job_id}": run_id,
            "{artifact}": "model.onnx",
            "{language}": "curl",
        }
        found = {}
        for route, methods in self.ask("GET", "/openapi.json")["paths"].items():
            path = re.sub(r"\{\w+\}", lambda m: values.get(m[0], m[0]), route)
            is_fixed = "{" not in path and not path.startswith(_CHANGING)
            if "get" in methods and is_fixed and not path.endswith(".png"):
                answer = self._http.get(path)
                content = answer.content if answer.is_success else None
                found[path] = (answer.status_code, content)
        return found
