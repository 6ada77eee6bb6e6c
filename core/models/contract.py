"""The contract of a version with its callers: its inputs and its answers.

A difference breaks callers if the new version refuses a request that the old version
accepts, or gives it another kind of answer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from core.columns import kind_of
from core.columns.alike import means_the_same
from core.columns.notations import LostNotation, lost_notation
from core.errors import ContractBroken
from core.models.signature import Signature
from core.runs.planning.column_names import ColumnNames
from core.runs.planning.target import Label
from fitserve.enums import ColumnType, Task
from fitserve.problems import FieldError, pointer
from fitserve.schemas.datasets import ColumnFormat
from fitserve.schemas.models import ContractRead, InputRead

_MOST_SHOWN = 10


@dataclass(frozen=True)
class Input:
    """An input of a version, or of a run that will train one.

    `missing_allowed` is None for a run, which has not read its training rows yet.
    """

    name: str
    type: ColumnType
    format: ColumnFormat
    missing_allowed: bool | None


@dataclass(frozen=True)
class Contract:
    """The inputs that a version requires, in order, and the answers that it gives."""

    inputs: dict[str, Input]
    target: str
    task: Task
    classes: list[Label]

    @classmethod
    def of(cls, signature: Signature) -> "Contract":
        """Return the contract of a version."""
        return cls(
            {
                f.name: Input(f.name, f.type, f.format, f.has_missing)
                for f in signature.features
            },
            signature.target,
            signature.task,
            signature.classes or [],
        )

    def spelled(self, names: Iterable[str]) -> "Contract":
        """Return the contract with its columns spelled as in `names`.

        Names that differ only in their Unicode form are equal.
        """
        spelling = ColumnNames(names).spelling
        inputs = {
            spelling(name): replace(held, name=spelling(name))
            for name, held in self.inputs.items()
        }
        return replace(self, inputs=inputs, target=spelling(self.target))

    def to_schema(self, version: int) -> ContractRead:
        """Convert the contract to its schema."""
        inputs = [
            InputRead(name=i.name, type=i.type, missing_allowed=bool(i.missing_allowed))
            for i in self.inputs.values()
        ]
        return ContractRead(
            version=version,
            inputs=inputs,
            target=self.target,
            task=self.task,
            classes=self.classes or None,
        )


@dataclass(frozen=True)
class Difference:
    """A difference of two contracts, as a sentence and in a short form."""

    sentence: str
    sign: str
    """The short form, such as `+ listing_id`, for a list in one line."""
    breaks: bool
    """Whether the difference breaks callers of the old version."""
    column: str | None = None


def contract_differences(old: Contract, new: Contract) -> list[Difference]:
    """Return the differences of two contracts.

    An input that is no longer used breaks no caller, and neither does an input that
    accepts missing values now. Another order of inputs does, because rows may be lists.
    """
    old = old.spelled([*new.inputs, new.target])
    return [*_of_inputs(old, new), *_of_order(old, new), *_of_answers(old, new)]


def refuse_breaking(
    old: Contract, new: Contract, present: int, what: str, alias: str | None
) -> None:
    """Raise ContractBroken if a new version breaks callers of the present version.

    Args:
        old: the contract of the present version.
        new: the contract of the new version.
        present: the number of the present version.
        what: the new version, for the message.
        alias: the alias that points at the present version; None: that version serves.

    """
    broken = [d for d in contract_differences(old, new) if d.breaks]
    if not broken:
        return
    shown = "; ".join(d.sentence for d in broken[:_MOST_SHOWN])
    if (more := len(broken) - _MOST_SHOWN) > 0:
        shown += f"; and {more:,} more"
    who = f"the alias {alias!r}" if alias is not None else "the serving version"
    raise ContractBroken(
        f"{what} would break callers of version {present}, which is {who} now: {shown}. "
        f'Train with `"features": {{"as": "version {present}"}}`, or send '
        '`"allow_new_contract": true` when the callers are ready.',
        [
            FieldError(pointer=pointer("version"), detail=d.sentence, column=d.column)
            for d in broken
        ],
    )


def _of_inputs(old: Contract, new: Contract) -> Iterator[Difference]:
    for name, made in new.inputs.items():
        if name not in old.inputs:
            text = f"{name!r} is a new required input"
            yield Difference(text, f"+ {name}", breaks=True, column=name)
        else:
            yield from _of_input(old.inputs[name], made)
    for name in old.inputs:
        if name not in new.inputs:
            text = f"{name!r} is no longer an input"
            yield Difference(text, f"- {name}", breaks=False, column=name)


def _of_input(old: Input, new: Input) -> Iterator[Difference]:
    name = old.name
    if old.type != new.type:
        text = f"{name!r} is {new.type} instead of {old.type}"
        sign = f"{name}: {new.type} instead of {old.type}"
        yield Difference(text, sign, breaks=not _accepts(new, old), column=name)
    elif not means_the_same(old.format, new.format):
        text = f"the cells of {name!r} have another meaning (format)"
        sign = f"{name}: another format"
        yield Difference(text, sign, breaks=True, column=name)
    elif lost := lost_notation(kind_of(old.type), old.format, new.format):
        sign = f"{name}: another notation"
        yield Difference(_notation(name, lost), sign, breaks=True, column=name)
    if old.missing_allowed and new.missing_allowed is False:
        text = f"{name!r} may no longer be missing"
        yield Difference(text, f"{name}: never missing", breaks=True, column=name)
    if old.missing_allowed is False and new.missing_allowed:
        text = f"{name!r} may be missing now"
        yield Difference(text, f"{name}: may be missing", breaks=False, column=name)


def _notation(name: str, lost: LostNotation) -> str:
    now = "is refused now" if lost.is_refused else "has another value now"
    return f"{name!r} was read {lost.notation}, and {lost.example!r} {now}"


def _accepts(new: Input, old: Input) -> bool:
    """Return whether the new input reads the values that callers send to the old one."""
    is_number = (new.type, old.type) == (ColumnType.NUMERIC, ColumnType.BOOLEAN)
    return kind_of(new.type).is_text or is_number


def _of_order(old: Contract, new: Contract) -> Iterator[Difference]:
    before = [name for name in old.inputs if name in new.inputs]
    after = [name for name in new.inputs if name in old.inputs]
    if before != after:
        text = "the inputs have another order, so that rows sent as lists are misread"
        yield Difference(text, "another order", breaks=True)


def _of_answers(old: Contract, new: Contract) -> Iterator[Difference]:
    if old.target != new.target:
        text = f"the target is {new.target!r} instead of {old.target!r}"
        yield Difference(text, f"target {new.target}", breaks=True)
    if old.task != new.task:
        text = f"the task is {new.task} instead of {old.task}"
        yield Difference(text, f"task {new.task}", breaks=True)
    elif old.target == new.target:
        yield from _of_classes(old.classes, new.classes)


def _of_classes(old: list[Label], new: list[Label]) -> Iterator[Difference]:
    before, after = ([(type(x), x) for x in labels] for labels in (old, new))
    added = [label for label in new if (type(label), label) not in before]
    removed = [label for label in old if (type(label), label) not in after]
    for labels, word, sign in ((added, "new", "+"), (removed, "missing", "-")):
        if labels:
            shown = ", ".join(map(repr, labels[:_MOST_SHOWN]))
            noun = "class is" if len(labels) == 1 else "classes are"
            text = f"{len(labels)} {noun} {word}: {shown}"
            yield Difference(text, f"{sign} class {shown}", breaks=True)
    if before != after and not added and not removed:
        text = f"the order of the classes is {new[:_MOST_SHOWN]}, not "
        text += f"{old[:_MOST_SHOWN]}, so that raw outputs mean other classes"
        yield Difference(text, "another order of classes", breaks=True)
