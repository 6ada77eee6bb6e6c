"""Translate a job's body to a RunCreate, and errors about that spec to the body."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.errors import FitserveError, InvalidSpec
from fitserve.names import to_name
from fitserve.problems import FieldError, pointer, sentences, shown
from fitserve.specs.optimizers import BY_NAME, Optimizer
from fitserve.specs.run import RunCreate
from service.bodies import validate
from service.protocols.openai.job_create import Hyperparameters, JobCreate

BASE_MODEL = "base_model"
"""The tag that keeps a job's `model`."""

SpecPath = tuple[str, ...]


class Translation:
    """A spec from keys of a body, and the origin of each key."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self._origins: dict[str, str] = {}
        self._errors: list[FieldError] = []

    def put(self, value: object, path: SpecPath, source: SpecPath) -> None:
        """Set a key of the spec from a key of the body, unless they disagree."""
        at = self.object_at(path[:-1]) if value is not None else None
        if at is None:
            return
        here, there = pointer(*path), pointer(*source)
        current = at.get(path[-1])
        if current is not None and current != value:
            other = self._origins.get(here, pointer("spec", *path))
            detail = f"means {shown(value)}, but {other} means {shown(current)}"
            self.refuse(there, detail, "Set only one of the two.")
        else:
            at[path[-1]] = value
            self._origins.setdefault(here, there)

    def object_at(self, path: SpecPath) -> dict[str, Any] | None:
        """Return an object of the spec, created if absent; None for other values."""
        at: Any = self.spec
        for key in path:
            at = at.setdefault(key, {})
            if not isinstance(at, dict):
                return None
        return at  # type: ignore[no-any-return]

    def refuse(self, place: str, detail: str, hint: str) -> None:
        """Add an error about the body."""
        self._errors.append(FieldError(pointer=place, detail=detail, hint=hint))

    def run_create(self) -> RunCreate:
        """Return the spec; raises InvalidSpec and InvalidBody."""
        if self._errors:
            raise InvalidSpec(sentences(self._errors), self._errors)
        with self.pointing():
            return validate(RunCreate, self.spec)

    @contextmanager
    def pointing(self) -> Iterator[None]:
        """Change the pointers of errors about the spec to the body."""
        try:
            yield
        except FitserveError as error:
            for fault in error.errors:
                fault.pointer = self._pointer(fault.pointer)
            if error.errors:
                error.detail = sentences(error.errors)
            raise

    def _pointer(self, here: str) -> str:
        parts = here.split("/")
        for n in range(len(parts), 1, -1):
            origin = self._origins.get("/".join(parts[:n]))
            if origin is not None:
                return "/".join([origin, *parts[n:]])
        return "/".join(["#", "spec", *parts[1:]])


def translate(job: JobCreate) -> Translation:
    """Return the spec that the body describes."""
    into = Translation(job.spec)
    into.put(job.training_file, ("dataset",), ("training_file",))
    into.put(job.validation_file, ("fit", "validation_dataset"), ("validation_file",))
    into.put(job.seed, ("fit", "seed"), ("seed",))
    _put_name(into, job)
    _put_metadata(into, job)
    _put_hyperparameters(into, job.hyperparameters, ("hyperparameters",))
    if job.method is not None:
        at = ("method", "supervised", "hyperparameters")
        _put_hyperparameters(into, job.method.supervised.hyperparameters, at)
    if into.spec.get("target") is None:
        detail = "this key is required and is absent"
        hint = 'Name the column to predict: `{"target": "…"}`.'
        into.refuse(pointer("metadata", "target"), detail, hint)
    if job.integrations:
        detail = "integrations are not supported"
        into.refuse(pointer("integrations"), detail, "Remove this key.")
    return into


def _put_name(into: Translation, job: JobCreate) -> None:
    if job.suffix is not None:
        into.put(to_name(job.suffix, "model"), ("model_name",), ("suffix",))
    elif into.spec.get("model_name") is None:
        into.put(to_name(job.model, "model"), ("model_name",), ("model",))


def _put_metadata(into: Translation, job: JobCreate) -> None:
    for key, value in job.metadata.items():
        path = ("target",) if key == "target" else ("tags", key)
        into.put(value, path, ("metadata", key))
    into.put(job.model, ("tags", BASE_MODEL), ("model",))


def _put_hyperparameters(into: Translation, given: Hyperparameters, at: SpecPath) -> None:
    for key, name in (("n_epochs", "epochs"), ("batch_size", "batch_size")):
        value = getattr(given, key)
        into.put(None if value == "auto" else value, ("fit", name), (*at, key))
    factor = given.learning_rate_multiplier
    if not isinstance(factor, float):
        return
    kind = _optimizer(into)
    if kind is not None:
        rate = kind.model_fields["learning_rate"].default * factor
        source = (*at, "learning_rate_multiplier")
        into.put(rate, ("compile", "optimizer", "learning_rate"), source)


def _optimizer(into: Translation) -> type[Optimizer] | None:
    """Return the optimizer that the spec names, and make it an object in the spec."""
    compiled = into.object_at(("compile",))
    if compiled is None:
        return None
    given = compiled.get("optimizer", "adam")
    if isinstance(given, str) and given in BY_NAME:
        given = compiled["optimizer"] = {"type": BY_NAME[given].__name__}
    name = given.get("type") if isinstance(given, dict) else None
    return next((kind for kind in BY_NAME.values() if kind.__name__ == name), None)
