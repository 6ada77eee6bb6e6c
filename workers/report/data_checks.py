"""Find properties of the data that make a report's figures misleading."""

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from core.runs.planning.target import Label, class_indices
from fitserve.schemas.report import Trap
from workers.report.drift import drifts
from workers.report.evidence import Evidence, SplitRows
from workers.report.leakage import leaks

_LEAST_SHARE = 0.01
"""Duplicates are reported if at least this share of the held-out rows is duplicate."""
_RARE = 0.1
"""A class is rare below this share of the rows per class of a balanced table."""

Check = Callable[[], list[Trap]]


def checks(evidence: Evidence, seconds: float) -> Iterator[tuple[str, Check]]:
    """Yield each check that applies, with the kind of trap that the check finds."""
    train, held_out = evidence.train, evidence.held_out
    is_weighed = evidence.fit.class_weight is not None
    yield "constant_target", lambda: constant_targets(evidence)
    yield "imbalance", lambda: imbalances(train, is_weighed=is_weighed)
    if held_out is not None and evidence.split is not None:
        split = evidence.split.side
        yield "leakage", lambda: leaks(train, held_out, seconds)
        yield "duplicates", lambda: duplicates(train, held_out, split)
        yield "drift", lambda: drifts(train, held_out, split)


def duplicates(train: SplitRows, held_out: SplitRows, split: str) -> list[Trap]:
    """Find held-out rows that equal a training row in every feature and the target."""
    names = [f.name for f in train.signature.features] + [train.signature.target]
    known, rows = (part.frame.select(names).hash_rows() for part in (train, held_out))
    same = int(rows.is_in(known.implode()).sum())
    share = same / len(rows)
    if share < _LEAST_SHARE:
        return []
    sentence = (
        f"{same:,} of {len(rows):,} {split} rows ({share:.0%}) are also training rows, "
        "with the same target, so a network that only memorizes scores well. Upload the "
        "table without duplicates, or split by a column that groups equal rows"
    )
    numbers = {"rows": float(same), "of": float(len(rows))}
    return [Trap(kind="duplicates", sentence=sentence, columns=[], numbers=numbers)]


def imbalances(train: SplitRows, *, is_weighed: bool = False) -> list[Trap]:
    """Find a class that has far fewer training rows than the others.

    `is_weighed` says whether the spec sets `class_weight`.
    """
    labels, target = train.signature.class_names, train.signature.target
    if not labels:
        return []
    counts = np.bincount(train.y.astype(np.int64), minlength=len(labels))
    rarest, most = int(counts.argmin()), int(counts.argmax())
    if counts[rarest] >= _RARE * len(train.y) / len(labels):
        return []
    sentence = (
        f"{counts[rarest]:,} of {len(train.y):,} training rows have the class "
        f"{labels[rarest]!r}, and {counts[most]:,} have {labels[most]!r}, so accuracy "
        "hides errors on the rare class. Look at the recall of that class and at pr_auc"
    )
    if not is_weighed:
        sentence += ', or set `class_weight: "balanced"`'
    numbers = {"rarest": float(counts[rarest]), "most": float(counts[most])}
    return [Trap(kind="imbalance", sentence=sentence, columns=[target], numbers=numbers)]


def constant_targets(evidence: Evidence) -> list[Trap]:
    """Find splits in which every row has the same target."""
    target = evidence.signature.target
    return [
        Trap(
            kind="constant_target",
            sentence=f"in all {len(cells):,} {split} rows {target!r} is "
            f"{_shown(cells, evidence.signature.classes)}: figures on these rows say "
            "nothing about the network. Use another split, or more rows",
            columns=[target],
            numbers={"rows": len(cells)},
        )
        for split, cells in evidence.targets.items()
        if cells.n_unique() == 1
    ]


def _shown(cells: pl.Series, classes: list[Label] | None) -> str:
    value = classes[class_indices(cells.head(1), classes)[0]] if classes else cells[0]
    return f"{value:g}" if isinstance(value, float) else repr(value)
