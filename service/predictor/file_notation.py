"""Read a file to predict whose cells are written otherwise than in training."""

from __future__ import annotations

from typing import Any

from core.columns.base import Hints
from core.columns.decide import decide_types
from core.columns.facts import Cells, Wanted
from core.datasets.check_types import check_types
from core.errors import InvalidInstances
from core.lazy import pl
from core.models.signature import Feature
from fitserve.enums import ColumnType
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnFormat
from fitserve.specs.columns import ColumnOptions, has_options, type_of
from fitserve.specs.parsing import ParsingSpec
from service.predictor.instance_reader import InstanceReader

_INHERITED = ("percent", "timezone")
_KEPT = ("strays", "more_strays", "labels", "null_values")


def notations(
    texts: pl.DataFrame, given: ParsingSpec, reader: InstanceReader
) -> dict[str, ColumnFormat]:
    """Return the formats of the file's columns that `types` describes, by feature.

    Raises InvalidInstances if a type is not that of the model's column, and InvalidTable
    if no cell of a column can be read so.
    """
    check_types(texts.columns, given.types)
    found = {}
    for name, said in given.types.items():
        feature = reader.feature(name)
        if feature is None:
            continue
        if type_of(said) != feature.type:
            raise _other_type(name, type_of(said), feature)
        has_texts = texts.schema[name] == pl.String
        if has_options(said) and has_texts and not feature.is_text:
            found[feature.name] = _format(texts, name, said, given, feature)
    return found


def own_words(given: ParsingSpec, name: str) -> list[str]:
    """Return the words for "missing" in a column of the file, besides the model's."""
    said = given.types.get(name)
    own = said.null_values if isinstance(said, ColumnOptions) else None
    return own or given.null_values or []


def _format(
    texts: pl.DataFrame,
    name: str,
    said: ColumnOptions,
    given: ParsingSpec,
    feature: Feature,
) -> ColumnFormat:
    options = said.model_copy(update=_as_in_training(said, feature.format))
    wanted = {name: Wanted(feature.type, options=options)}
    cells = Cells(texts.lazy().select(name), is_small=True)
    (facts,) = decide_types(cells, [name], wanted, Hints(decimal=given.decimal))
    kept = {key: getattr(feature.format, key) for key in _KEPT}
    return facts.format.model_copy(update=kept)


def _as_in_training(said: ColumnOptions, form: ColumnFormat) -> dict[str, Any]:
    """Return what the training says and the options leave out."""
    inherited = {
        key: getattr(form, key) for key in _INHERITED if getattr(said, key) is None
    }
    inherited["unit"] = said.unit or form.unit or None
    return inherited


def _other_type(name: str, kind: ColumnType, feature: Feature) -> InvalidInstances:
    detail = f"the model's column {feature.name!r} is {feature.type}; got the type {kind}"
    hint = "leave `types` out, or train a run with `features.types`"
    error = FieldError(pointer=pointer("types", name), detail=detail, hint=hint)
    return InvalidInstances(f"{detail}; {hint}.", [error])
