"""Errors in the JSON of a Keras model, with their paths."""

from dataclasses import dataclass
from typing import NoReturn

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """An error at `path` in the JSON of the model."""

    path: Path
    detail: str
    hint: str = ""


class Refused(Exception):
    """The JSON contains something that the closed spec does not have."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*(fault.detail for fault in faults))
        self.faults = list(faults)


def refuse(path: Path, detail: str, hint: str = "") -> NoReturn:
    """Raise Refused with one fault."""
    raise Refused(Fault(path, detail, hint))
