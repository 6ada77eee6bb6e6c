"""Define a client that repeats each request until it is answered."""

import itertools
import time
import uuid
from collections.abc import Sequence
from typing import Any

import httpx

from tests.chaos.request_log import ENDED, RequestLog
from tests.chaos.stand_in.weights import prediction

KEY = "chaos-key-that-no-log-may-hold"
CELL = "8675309.125"
"""A cell of every table, which no log may contain."""
CSV = f"x,y\n{CELL},1\n" + "".join(f"{i},{3 * i + 1}\n" for i in range(40))

_AWAY_SECONDS = 5.0


class Client:
    """An HTTP client that writes every response to a request log.

    Each request goes to the next one of `urls`, as through a load balancer, which passes
    over an address for some seconds after it gave no answer.
    """

    def __init__(
        self, urls: Sequence[str], request_log: RequestLog, timeout: float = 30.0
    ) -> None:
        self.request_log = request_log
        self._urls = itertools.cycle(urls)
        self._away_until = dict.fromkeys(urls, 0.0)
        self._http = httpx.Client(
            timeout=timeout, headers={"Authorization": f"Bearer {KEY}"}
        )

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response | None:
        """Send one request. Return None if the connection broke."""
        url = self._next_url()
        try:
            response = self._http.request(method, url + path, **given)
        except httpx.TransportError:
            self._away_until[url] = time.monotonic() + _AWAY_SECONDS
            return None
        self.request_log.note(response)
        return response

    def _next_url(self) -> str:
        turns = itertools.islice(self._urls, len(self._away_until))
        now = time.monotonic()
        answering = (url for url in turns if self._away_until[url] <= now)
        return next(answering, None) or next(self._urls)

    def insist(
        self, method: str, path: str, seconds: float = 90.0, **given: Any
    ) -> httpx.Response:
        """Repeat a request while the service is unavailable, busy or full."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            response = self.ask(method, path, **given)
            if response is not None and response.status_code not in (409, 503, 507):
                return response
            time.sleep(0.1)
        raise TimeoutError(f"{method} {path}: {response and response.text}")

    def upload(self, name: str = "table", csv: str = CSV) -> dict[str, Any]:
        """Upload a dataset."""
        given = {"params": {"name": name}, "content": csv}
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        response = self.insist("POST", "/v1/datasets", headers=headers, **given)
        response.raise_for_status()
        read: dict[str, Any] = response.json()
        return read

    def post(self, seed: int, epochs: int = 6, model: str = "m", **tags: str) -> str:
        """Post a run until it is accepted. Return its id."""
        body = spec(seed, epochs, model, **tags)
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        response = self.insist("POST", "/v1/runs", json=body, headers=headers)
        if response.status_code != 202:
            raise AssertionError(response.text)
        run: dict[str, Any] = response.json()
        self.request_log.note_accepted(run)
        return str(run["id"])

    def read(self, run_id: str) -> dict[str, Any]:
        """Return the current state of the run."""
        run: dict[str, Any] = self.insist("GET", f"/v1/runs/{run_id}").json()
        self.request_log.note_run(run)
        return run

    def epochs(self, run_id: str) -> int:
        """Return the number of recorded epochs."""
        return int(self.read(run_id)["progress"]["epoch"])

    def ended(self, run_id: str, seconds: float = 60.0) -> dict[str, Any]:
        """Return the run after it has ended."""
        deadline = time.monotonic() + seconds
        while (run := self.read(run_id))["status"] not in ENDED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{run_id} is {run['status']} after {seconds} s")
            time.sleep(0.05)
        return run

    def cancel(self, run_id: str) -> None:
        self.insist("POST", f"/v1/runs/{run_id}/cancel")

    def predict(self, seeds: dict[int, tuple[int, int]], model: str, x: float) -> bool:
        """Request a prediction of the newest version. Return whether the service
        answered.

        `seeds` gives seed and epoch of the known versions; the request log notes a
        wrong answer.
        """
        body = {"model": model, "instances": [{"x": x}]}
        response = self.ask("POST", "/v1/predict", json=body)
        if response is None or response.status_code != 200:
            return False
        answer = response.json()
        known = seeds.get(answer["model_version"])
        if known is not None:
            expected = prediction(*known, x)
            if answer["predictions"][0] != expected:
                self.request_log.say(f"predict answered {answer}, not {expected}")
        return True


def spec(seed: int, epochs: int, model: str = "m", **tags: str) -> dict[str, Any]:
    """Return the spec of a run of the stand-in."""
    return {
        "dataset": "table",
        "target": "y",
        "model_name": model,
        "model": {"layers": [{"type": "Dense", "units": 1}]},
        "fit": {"epochs": epochs, "seed": seed},
        "tags": tags,
    }
