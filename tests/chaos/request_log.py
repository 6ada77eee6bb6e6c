"""What clients were told: every answer counted, every 202 and every end remembered."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

ENDED = ("succeeded", "failed", "cancelled")


@dataclass
class RequestLog:
    """The history of the API, as its clients saw it."""

    answers: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    """By method, status, and type of the problem."""
    accepted: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The body of every 202, by run."""
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The first body that told of a run's end: none after it may tell another."""
    wrong: list[str] = field(default_factory=list)
    """What clients saw that they must never see."""
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
        """A run that the service has promised to see through."""
        with self._lock:
            self.accepted[run["id"]] = run

    def note_run(self, run: dict[str, Any]) -> None:
        """A run as it was read: once it has ended it stays as it is."""
        if run["status"] not in ENDED:
            if run["id"] in self.ended:
                self.say(f"{run['id']} had ended and is {run['status']} again")
            return
        with self._lock:
            first = self.ended.setdefault(run["id"], run)
        if first != run:
            changed = [name for name in run if run[name] != first[name]]
            told = {name: (first[name], run[name]) for name in changed}
            self.say(f"{run['id']} changed after its end: {told}")

    def say(self, sentence: str) -> None:
        """Something is wrong."""
        with self._lock:
            self.wrong.append(sentence)

    def failures(self) -> list[tuple[str, int, str]]:
        """Answers of 500 and more."""
        return sorted(key for key in self.answers if key[1] >= 500)
