"""Check the requirements of a promotion: score versions on rows that none trained on.

The networks run in ONNX Runtime, from the recorded files, as they do for /predict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from core.datasets.tables import Dataset
from core.errors import CannotScore, RequirementNotMet
from core.lazy import pl
from core.models.bootstrap import (
    Groups,
    Interval,
    deciding_interval,
    difference_interval,
)
from core.models.input_table import Table
from core.models.network import ModelFile, Network, load_network
from core.models.requirements import Requirement
from core.models.scores import Numbers, Scored, as_answers
from core.models.signature import Signature
from core.models.tables import Version
from core.runs.maintenance import RunMaintenance
from core.runs.planning.target import class_indices
from core.runs.reporting.held_out import HeldOutRows, common_rows, held_out_rows
from core.runs.reporting.row_sets import Contender
from core.runs.tables import Run
from core.storage import Storage
from fitserve.problems import FieldError, pointer

Load = Callable[[ModelFile], Network]


@dataclass(frozen=True)
class VersionToScore:
    """A version to score, with the run that trained it; it may not be stored yet.

    Args:
        title: the name of the version in messages, such as `version 2`.
        signature: its inputs and answers.
        file: its network.
        run: the run that trained it.
        validation: the validation dataset of the run, if it has one.

    """

    title: str
    signature: Signature
    file: ModelFile
    run: Run
    validation: Dataset | None

    @classmethod
    def of(
        cls, session: Session, version: Version, title: str | None = None
    ) -> VersionToScore:
        """Return a version with its run; its title is its number by default."""
        run = session.get_one(Run, version.run_id)
        validation = RunMaintenance(session).validation(run)
        title = title or f"version {version.number}"
        return cls(title, version.signature, ModelFile.of(version), run, validation)

    @property
    def contender(self) -> Contender:
        """Return the run whose held-out rows may be used."""
        return Contender(self.run, self.validation)


@dataclass(frozen=True)
class Both:
    """The scores of a candidate and its rival on rows that neither trained on."""

    rows: HeldOutRows
    new: Scored
    old: Scored

    def difference(self, metric: str) -> Interval | None:
        """Return the 95 % interval of the difference, candidate minus rival."""
        return difference_interval(metric, *self._paired())

    def deciding(self, metric: str) -> Interval | None:
        """Return the interval by which a relative requirement is decided."""
        return deciding_interval(metric, *self._paired())

    def _paired(self) -> tuple[Scored, Scored, Groups | None, int]:
        groups, seed = self.rows.groups(), self.rows.run.spec.fit.seed
        return self.new, self.old, groups, seed


@dataclass(frozen=True)
class Judge:
    """A judge that scores versions on held-out rows, and checks requirements.

    Args:
        storage: the storage of tables and networks.
        base: the path of the requirements in the body of the request or in the spec.
        load: a function that returns the network of a file; by default, the file is read
            from the storage.

    """

    storage: Storage
    base: tuple[str, ...] = ("require",)
    load: Load | None = None

    def check(
        self,
        requirements: list[Requirement],
        candidate: VersionToScore,
        rival: VersionToScore | None,
    ) -> None:
        """Raise RequirementNotMet with the figures if a requirement is not met.

        A number is compared with the candidate's figure on all rows that its run held
        out. The rival, if there is one, is compared on rows that both runs held out.
        Raises CannotScore if there are no such rows.
        """
        fixed = [r for r in requirements if not r.is_relative]
        errors = self._below_numbers(fixed, candidate) if fixed else []
        relative = [r for r in requirements if r.is_relative]
        if rival is not None and relative:
            errors += self._behind_rival(relative, candidate, rival)
        if errors:
            details = "; ".join(error.detail for error in errors)
            raise RequirementNotMet(f"Nothing was promoted: {details}.", errors)

    def _below_numbers(
        self, requirements: list[Requirement], candidate: VersionToScore
    ) -> list[FieldError]:
        """Return an error for each requirement of a number that is not met."""
        rows = held_out_rows(candidate.run, candidate.validation, self.storage)
        scored = self._scored(candidate, candidate, rows)
        found = [(r, scored.figure(r.metric)) for r in requirements]
        return [
            self._error(
                r, f"{candidate.title} has {_shown(figure)}, on {_described(rows)}"
            )
            for r, figure in found
            if not r.is_met_by_figure(figure)
        ]

    def _behind_rival(
        self,
        requirements: list[Requirement],
        candidate: VersionToScore,
        rival: VersionToScore,
    ) -> list[FieldError]:
        """Return an error for each relative requirement that is not met."""
        both = self.both(candidate, rival)
        errors = []
        for required in requirements:
            interval = both.deciding(required.metric)
            if required.is_met_by_difference(interval):
                continue
            scored = both.new, both.old
            figures = [_shown(one.figure(required.metric)) for one in scored]
            detail = (
                f"{candidate.title} has {figures[0]} and {rival.title} has {figures[1]}"
                f"{_range(interval)}, on the same {_described(both.rows)}"
            )
            errors.append(self._error(required, detail))
        return errors

    def both(self, candidate: VersionToScore, rival: VersionToScore) -> Both:
        """Score two versions on rows of the candidate's datasets that both held out.

        Raises CannotScore if there are no such rows, or the answers differ in kind.
        """
        _refuse_other_answers(candidate.signature, rival)
        rows = common_rows(candidate.contender, rival.contender, self.storage)
        new, old = (self._scored(one, candidate, rows) for one in (candidate, rival))
        return Both(rows, new, old)

    def _error(self, required: Requirement, but: str) -> FieldError:
        limit = "current" if required.limit is None else f"{required.limit:g}"
        detail = f"{required.metric} {required.sign} {limit} is required, but {but}"
        return FieldError(pointer=pointer(*self.base, required.key), detail=detail)

    def _scored(
        self, version: VersionToScore, candidate: VersionToScore, rows: HeldOutRows
    ) -> Scored:
        """Return the answers of a version, in the order of the candidate's classes."""
        signature = version.signature
        table = _input_table(signature, rows.features(signature), version.title)
        network = self._network(version.file)
        answers = as_answers(network.run(table), signature.task)
        if _is_reversed(signature, candidate.signature):
            answers = answers[:, ::-1]
        y = _targets(candidate.signature, rows.targets())
        return Scored(signature.task, y, answers, rows.weights)

    def _network(self, file: ModelFile) -> Network:
        load = self.load
        return load(file) if load is not None else load_network(file, self.storage)


def _described(rows: HeldOutRows) -> str:
    return f"{len(rows.places):,} {rows.side} rows of {rows.run.id}"


def _range(interval: Interval | None) -> str:
    if interval is None:
        return ""
    low, high = (f"{bound:.3g}" for bound in interval)
    if low == high:  # with too few rows for an interval
        return f" (difference: {low})"
    return f" (95 % interval of the difference: {low} to {high})"


def _shown(figure: float | None) -> str:
    return "none" if figure is None else f"{figure:.6g}"


def _refuse_other_answers(new: Signature, rival: VersionToScore) -> None:
    """Raise CannotScore if the answers differ in kind; two classes may be reversed."""
    old = rival.signature
    is_same = (new.task, new.target) == (old.task, old.target)
    if is_same and (new.classes == old.classes or _is_reversed(new, old)):
        return
    raise CannotScore(
        f"{rival.title} predicts something else ({old.task} of {old.target!r}, classes "
        f"{str(old.classes)[:200]}), so the two cannot be scored on the same rows. "
        "Promote without `current` in the requirements."
    )


def _is_reversed(new: Signature, old: Signature) -> bool:
    """Return whether both have the same two classes, but not the same positive one."""
    first, second = new.classes or [], old.classes or []
    return len(first) == 2 and first == second[::-1]


def _input_table(signature: Signature, frame: pl.DataFrame, title: str) -> Table:
    """Return the rows as inputs of the version's network."""
    missing = [f.name for f in signature.features if f.name not in frame.columns]
    if missing:
        raise CannotScore(
            f"{title} needs the column(s) {missing[:10]}, which the held-out rows do not "
            "have. Promote without `current` in the requirements."
        )
    numbers = [f.numbers(frame[f.name]) for f in signature.features if not f.is_text]
    texts = [
        f.texts(frame[f.name]).to_numpy().astype(object)
        for f in signature.features
        if f.is_text
    ]
    empty = np.empty((0, frame.height))
    return Table(np.stack(numbers) if numbers else empty, texts)


def _targets(signature: Signature, column: pl.Series) -> Numbers:
    """Return the targets as values, or as indices of classes."""
    if signature.classes is not None:
        column = class_indices(column, signature.classes)
    values: Numbers = column.to_numpy().astype(np.float64)
    return values
