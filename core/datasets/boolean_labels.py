"""How a column of booleans writes them."""

from collections import Counter
from collections.abc import Sequence

from core.datasets.cells import FALSE, TRUE

_CASES = (str.lower, str.title, str.upper)


def boolean_labels(sample: Sequence[str]) -> list[str]:
    """What `sample` writes most for false and for true; empty if JSON's words will do.

    One that it lacks is the other's opposite, written alike.
    """
    counts = Counter(cell for cell in sample if cell.lower() in FALSE + TRUE)
    no, yes = (_most(counts, words) for words in (FALSE, TRUE))
    if not (no or yes):
        return []
    labels = [no or _opposite(yes, TRUE, FALSE), yes or _opposite(no, FALSE, TRUE)]
    return [] if [label.lower() for label in labels] == ["false", "true"] else labels


def _most(counts: Counter[str], words: Sequence[str]) -> str:
    return next((cell for cell, _ in counts.most_common() if cell.lower() in words), "")


def _opposite(cell: str, own: Sequence[str], others: Sequence[str]) -> str:
    case = next((case for case in _CASES if case(cell) == cell), str.lower)
    return case(others[own.index(cell.lower())])
