"""Decide which words of a target are classes, although they mean "missing" elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.columns import kind_of
from core.columns.cells import NULLS
from core.columns.missing import own_words
from core.datasets.blocks import block_files
from core.datasets.null_words import may_have_words
from core.datasets.rereading import count_words, stored_format
from core.datasets.tables import Dataset
from core.datasets.typed_table import table_gone_is_409, uploaded
from core.errors import InvalidTable
from core.runs.planning.target import Label
from core.storage import Storage, scratch
from fitserve.enums import Task
from fitserve.file_formats import FileFormat
from fitserve.schemas.datasets import ColumnRead
from fitserve.specs.columns import type_of
from fitserve.specs.run import RunCreate

_CLASSES = ("None", "none")
"""Words that name a class, such as "no disorder", in a target of words."""
_SIGNS = {"-": "+"}
"""Words that name a class if the target also has the other sign."""


@dataclass(frozen=True)
class TargetWords:
    """The words of a target that mean "missing" in other columns, with their counts."""

    classes: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)

    def by_column(self, target: str) -> dict[str, tuple[str, ...]]:
        """Return the words that are classes, by column."""
        return {target: tuple(self.classes)} if self.classes else {}

    def warnings(self, target: str) -> list[str]:
        """Return a warning about each word: what it is, and how to decide it."""
        return [
            *(
                f"{word!r} in {count:,} row(s) of the target {target!r} is a class, "
                "although it means missing in other columns; to leave these rows out, "
                "upload the file with `null_values` that have it"
                for word, count in self.classes.items()
            ),
            *(
                f"{count:,} row(s) are left out, because their target is {word!r}, which "
                "means missing; if it is a class, upload the file with `null_values` "
                "that lack it"
                for word, count in self.missing.items()
            ),
        ]


def target_words(dataset: Dataset, create: RunCreate, storage: Storage) -> TargetWords:
    """Return the words of the target that mean "missing" in other columns.

    If the upload gave `null_values`, its words are missing in the target too.
    """
    column = next((c for c in dataset.columns if c.name == create.target), None)
    if column is None or not _may_have_classes(column, dataset, create):
        return TargetWords()
    counts: Mapping[str, int] | None = column.null_words
    if counts is None:
        counts = _read_counts(dataset, create.target, storage)
    others = {top.value for top in column.top}
    classes = [word for word in counts if word in _CLASSES or _SIGNS.get(word) in others]
    return TargetWords(
        {word: counts[word] for word in classes},
        {word: count for word, count in counts.items() if word not in classes},
    )


def _read_counts(dataset: Dataset, target: str, storage: Storage) -> Mapping[str, int]:
    """Count the words in the dataset's CSVs, because the upload did not count them."""
    found: Counter[str] = Counter()
    blocks = [block for block in dataset.blocks if _is_csv(block)]
    with table_gone_is_409(), block_files(blocks, storage, "content_key") as sources:
        for block, source in zip(blocks, sources, strict=True):
            with scratch() as folder:
                found.update(_counts_of(block, source, folder, target))
    return found


def _counts_of(block: Dataset, source: Path, folder: Path, target: str) -> dict[str, int]:
    try:
        return count_words(uploaded(block, source), folder, target)
    except InvalidTable:  # this release would read other rows, or the block lacks it
        return {}


def _is_csv(block: Dataset) -> bool:
    return stored_format(block.parsing) == FileFormat.CSV


def _may_have_classes(column: ColumnRead, dataset: Dataset, create: RunCreate) -> bool:
    """Return whether words that mean "missing" may be classes of the target."""
    if dataset.options.null_values is not None or not column.missing:
        return False
    if create.task == Task.REGRESSION:
        return False
    given = create.features.types.get(column.name)
    if given is not None:  # the spec may say which words are missing
        return kind_of(type_of(given)).is_text and own_words(given, None) is None
    if column.format.null_values is not None:
        return False
    return may_have_words(column) or column.unique == 0


def class_words(target: str, classes: list[Label]) -> dict[str, tuple[str, ...]]:
    """Return the words that mean "missing" among the classes of a run, by column."""
    words = tuple(str(label) for label in classes if label in NULLS)
    return {target: words} if words else {}
