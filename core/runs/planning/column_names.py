"""Replace column names in a spec by the spelling of the dataset."""

from collections.abc import Iterable
from typing import Any

from core.columns.cells import plain_name
from core.errors import InvalidSpec, raise_any
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer
from fitserve.specs.run import FeaturesSpec, RunCreate

Place = tuple[object, ...]


class ColumnNames:
    """The column names of a dataset, found without regard to Unicode form and spaces."""

    def __init__(self, names: Iterable[str]) -> None:
        self._known = dict.fromkeys(names)
        self._spelled = {plain_name(name): name for name in self._known}

    def spelling(self, name: str) -> str:
        """Return the dataset's spelling of a name; return an unknown name unchanged."""
        return name if name in self._known else self._spelled.get(plain_name(name), name)

    def in_spec(self, create: RunCreate) -> RunCreate:
        """Return a spec with the dataset's spelling of each name.

        Raises InvalidSpec with an error for each unknown name.
        """
        errors = [self._error(*named) for named in _named(create)]
        raise_any(InvalidSpec, [*errors, *self._repeated(create.features.types)])
        split, fit = create.split, create.fit
        if fit.sample_weight is not None:
            fit = fit.model_copy(
                update={"sample_weight": self.spelling(fit.sample_weight)}
            )
        if split.column is not None:
            split = split.model_copy(update={"column": self.spelling(split.column)})
        return create.model_copy(
            update={
                "target": self.spelling(create.target),
                "features": self._in_features(create.features),
                "split": split,
                "fit": fit,
            }
        )

    def _in_features(self, features: FeaturesSpec) -> FeaturesSpec:
        given: dict[str, Any] = {}
        if features.include is not None:
            given["include"] = [self.spelling(name) for name in features.include]
        if features.exclude:
            given["exclude"] = [self.spelling(name) for name in features.exclude]
        if features.types:
            types = features.types.items()
            given["types"] = {self.spelling(name): kind for name, kind in types}
        return features.model_copy(update=given)

    def _repeated(self, types: Iterable[str]) -> list[FieldError]:
        """Return an error for each column whose type is given under two spellings."""
        first: dict[str, str] = {}
        return [
            FieldError(
                pointer=pointer("features", "types", name),
                detail=f"{name!r} and {first[self.spelling(name)]!r} are the same column",
                hint="give its type once",
            )
            for name in types
            if first.setdefault(self.spelling(name), name) != name
        ]

    def _error(self, place: Place, name: str) -> FieldError | None:
        if self.spelling(name) in self._known:
            return None
        return FieldError(
            pointer=pointer(*place),
            detail=f"the dataset has no column {name!r}",
            hint=did_you_mean(name, self._known),
        )


def _named(create: RunCreate) -> list[tuple[Place, str]]:
    """Return every column name in a spec, with the path of its key."""
    features = create.features
    named: list[tuple[Place, str]] = [(("target",), create.target)]
    named += [(("features", "exclude", i), n) for i, n in enumerate(features.exclude)]
    included = enumerate(features.include or [])
    named += [(("features", "include", i), n) for i, n in included]
    named += [(("features", "types", n), n) for n in features.types]
    if create.split.column is not None:
        named.append((("split", "column"), create.split.column))
    if create.fit.sample_weight is not None:
        named.append((("fit", "sample_weight"), create.fit.sample_weight))
    return named
