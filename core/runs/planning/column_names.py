"""Replace names of columns in a spec by the spelling of the dataset."""

from collections.abc import Iterable
from typing import Any

from core.columns.cells import plain_name
from core.errors import InvalidSpec, raise_any
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer
from fitserve.specs.run import FeaturesSpec, RunCreate

Place = tuple[object, ...]


class ColumnNames:
    """The names of a dataset's columns, found in any Unicode form and with blanks."""

    def __init__(self, names: Iterable[str]) -> None:
        self._known = dict.fromkeys(names)
        self._spelled = {plain_name(name): name for name in self._known}

    def __call__(self, name: str) -> str:
        """Return the dataset's spelling of a name, or an unknown name unchanged."""
        return name if name in self._known else self._spelled.get(plain_name(name), name)

    def in_spec(self, create: RunCreate) -> RunCreate:
        """Return a spec with the dataset's spelling of each name.

        Raises InvalidSpec with an error for each unknown name.
        """
        errors = [self._error(*named) for named in _named(create)]
        raise_any(InvalidSpec, [*errors, *self._twice(create.features.types)])
        split = create.split
        if split.column is not None:
            split = split.model_copy(update={"column": self(split.column)})
        return create.model_copy(
            update={
                "target": self(create.target),
                "features": self._in_features(create.features),
                "split": split,
            }
        )

    def _in_features(self, features: FeaturesSpec) -> FeaturesSpec:
        given: dict[str, Any] = {}
        if features.include is not None:
            given["include"] = [self(name) for name in features.include]
        if features.exclude:
            given["exclude"] = [self(name) for name in features.exclude]
        if features.types:
            given["types"] = {self(n): kind for n, kind in features.types.items()}
        return features.model_copy(update=given)

    def _twice(self, types: Iterable[str]) -> list[FieldError]:
        """Return an error for each further spelling of a column that has a type."""
        first: dict[str, str] = {}
        return [
            FieldError(
                pointer=pointer("features", "types", name),
                detail=f"{name!r} and {first[self(name)]!r} are the same column",
                hint="give its type once",
            )
            for name in types
            if first.setdefault(self(name), name) != name
        ]

    def _error(self, place: Place, name: str) -> FieldError | None:
        if self(name) in self._known:
            return None
        return FieldError(
            pointer=pointer(*place),
            detail=f"the dataset has no column {name!r}",
            hint=did_you_mean(name, self._known),
        )


def _named(create: RunCreate) -> list[tuple[Place, str]]:
    """Return every name of a column in a spec, with the keys that lead to it."""
    features = create.features
    named: list[tuple[Place, str]] = [(("target",), create.target)]
    named += [(("features", "exclude", i), n) for i, n in enumerate(features.exclude)]
    included = enumerate(features.include or [])
    named += [(("features", "include", i), n) for i, n in included]
    named += [(("features", "types", n), n) for n in features.types]
    if create.split.column is not None:
        named.append((("split", "column"), create.split.column))
    return named
