"""The data's traps: what makes a report's figures better, or worse, than they are."""

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from core.runs.planning.target import Label, class_indices
from fitserve.schemas.report import Trap
from workers.report.drift import drifts
from workers.report.evidence import Evidence, Rows
from workers.report.leakage import leaks

_LEAST_SHARE = 0.01
"""Of the held-out rows that stand in the training rows too, to be told."""
_RARE = 0.1
"""Of the rows that a class would have if all had as many."""

Found = Callable[[], list[Trap]]


def traps(evidence: Evidence, seconds: float) -> Iterator[tuple[str, Found]]:
    """What looks for the traps of each kind, by name."""
    train, held_out = evidence.train, evidence.held_out
    yield "constant_target", lambda: constant_targets(evidence)
    yield "imbalance", lambda: imbalances(train)
    if held_out is not None and evidence.side is not None:
        side = evidence.side.side
        yield "leakage", lambda: leaks(train, held_out, seconds)
        yield "duplicates", lambda: duplicates(train, held_out, side)
        yield "drift", lambda: drifts(train, held_out, side)


def duplicates(train: Rows, held_out: Rows, side: str) -> list[Trap]:
    """Held-out rows that are training rows too, cell by cell, the target included."""
    names = [f.name for f in train.signature.features] + [train.signature.target]
    known, rows = (part.frame.select(names).hash_rows() for part in (train, held_out))
    same = int(rows.is_in(known.implode()).sum())
    share = same / len(rows)
    if share < _LEAST_SHARE:
        return []
    return [
        Trap(
            kind="duplicates",
            sentence=f"{same:,} of {len(rows):,} {side} rows ({share:.0%}) stand in the "
            "training rows too, the target included: on them memory looks like learning. "
            "Upload the table without duplicates, or split by a group that holds them",
            columns=[],
            numbers={"rows": same, "of": len(rows)},
        )
    ]


def imbalances(train: Rows) -> list[Trap]:
    """A class with far fewer training rows than its share."""
    labels = train.signature.class_names
    if not labels:
        return []
    counts = np.bincount(train.y.astype(np.int64), minlength=len(labels))
    rarest = int(counts.argmin())
    if counts[rarest] >= _RARE * len(train.y) / len(labels):
        return []
    often = int(counts.argmax())
    return [
        Trap(
            kind="imbalance",
            sentence=f"the class {labels[rarest]!r} is in {counts[rarest]:,} of "
            f"{len(train.y):,} training rows, {labels[often]!r} in {counts[often]:,}: "
            "accuracy hides how the rare one fares; look at its recall and at pr_auc, or "
            'weigh by `class_weight: "balanced"`',
            columns=[train.signature.target],
            numbers={"rarest": int(counts[rarest]), "most": int(counts[often])},
        )
    ]


def constant_targets(evidence: Evidence) -> list[Trap]:
    """A side whose target is the same in every row."""
    target = evidence.signature.target
    return [
        Trap(
            kind="constant_target",
            sentence=f"in all {len(cells):,} {side} rows {target!r} is "
            f"{_shown(cells, evidence.signature.classes)}: figures on them tell nothing",
            columns=[target],
            numbers={"rows": len(cells)},
        )
        for side, cells in evidence.targets.items()
        if cells.n_unique() == 1
    ]


def _shown(cells: pl.Series, classes: list[Label] | None) -> str:
    value = classes[class_indices(cells.head(1), classes)[0]] if classes else cells[0]
    return f"{value:g}" if isinstance(value, float) else repr(value)
