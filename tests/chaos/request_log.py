"""Record the responses that clients received: all answers, accepted runs and ends."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

ENDED = ("succeeded", "failed", "cancelled")


@dataclass
class RequestLog:
    """All responses of the API to its clients."""

    answers: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    """Number of answers by method, status, and type of the problem."""
    accepted: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The body of every 202 answer, by run."""
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The first body that reported the end of a run; no later body may differ."""
    wrong: list[str] = field(default_factory=list)
    """Observations of clients that break the promise."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, response: httpx.Response) -> None:
        """Count an answer."""
        kind = ""
        if response.status_code >= 400 and "json" in response.headers.get(
            "content-type", ""
        ):
            body = response.json()
            kind = str(body.get("type", "")) if isinstance(body, dict) else ""
        with self._lock:
            key = (response.request.method, response.status_code, kind)
            self.answers[key] += 1

    def note_accepted(self, run: dict[str, Any]) -> None:
        """Record an accepted run, which the service has promised to end."""
        with self._lock:
            self.accepted[run["id"]] = run

    def note_run(self, run: dict[str, Any]) -> None:
        """Record the body of a run, and check that an ended run does not change."""
        if run["status"] not in ENDED:
            if run["id"] in self.ended:
                self.say(f"{run['id']} had ended and is {run['status']} again")
            return
        with self._lock:
            first = self.ended.setdefault(run["id"], run)
        if first != run:
            changed = [name for name in run if run[name] != first[name]]
            differences = {name: (first[name], run[name]) for name in changed}
            self.say(f"{run['id']} changed after its end: {differences}")

    def say(self, sentence: str) -> None:
        """Record a violation."""
        with self._lock:
            self.wrong.append(sentence)

    def failures(self) -> list[tuple[str, int, str]]:
        """Return the answers with a status of 500 or more."""
        return sorted(key for key in self.answers if key[1] >= 500)
