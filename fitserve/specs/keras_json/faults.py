"""Errors in a Keras model's JSON, with their places."""

from dataclasses import dataclass
from typing import NoReturn

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """One thing that is refused; `path` leads to it from the model's JSON."""

    path: Path
    detail: str
    hint: str = ""


class Refused(Exception):
    """The JSON holds something that the closed spec has no place for."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*(fault.detail for fault in faults))
        self.faults = list(faults)


def refuse(path: Path, detail: str, hint: str = "") -> NoReturn:
    """Raise Refused with one fault."""
    raise Refused(Fault(path, detail, hint))
