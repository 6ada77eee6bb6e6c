"""Count how often suggested specs were better, and write the counts as Markdown."""

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

Case = dict[str, Any]
"""A case of `benchmarks.advice` as JSON; a score is the pair of error and main figure."""
LEAST_SHARE = 0.7


def is_better(case: Case, which: int = 0) -> bool:
    """Return whether the suggested network is better on the unseen rows.

    `which` is 0 for the error and 1 for the main figure. A network is better than none.
    """
    before, after = case["before"], case["after"]
    if before is None or after is None:
        return after is not None
    return bool(after[0] < before[0] if which == 0 else after[1] > before[1])


def page_table(cases: Sequence[Case]) -> str:
    """Return the counts by kind of suggestion, and the words by spec."""
    offered = [case for case in cases if case["kind"]]
    tables, seeds = ({case[key] for case in cases} for key in ("table", "seed"))
    missed = [kind for kind, own in _groups(offered, "kind") if _share(own) < LEAST_SHARE]
    below = ", ".join(f"`{kind}`" for kind in missed) or "none"
    summary = (
        f"{len(cases):,} runs, {len(tables)} tables, {len(seeds)} seeds: a spec was "
        f"suggested after {len(offered):,} runs. Kinds below 70 %: {below}."
    )
    kinds = _table(offered, "kind", "offered", _counts)
    return "\n".join([summary, "", *kinds, "", *_table(cases, "start", "runs", _words)])


def _table(
    cases: Sequence[Case], key: str, number: str, cells: Callable[[list[Case]], list[str]]
) -> list[str]:
    heads = {
        "kind": ["better", "share", "by main figure", "error"],
        "start": ["words, and how many suggested specs were better"],
    }
    head = ["spec" if key == "start" else key, number, *heads[key]]
    rule = ["---", *["--:" if key == "kind" else "---"] * (len(head) - 1)]
    rows = [[name, f"{len(own):,}", *cells(own)] for name, own in _groups(cases, key)]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *rows)]


def _groups(cases: Sequence[Case], key: str) -> list[tuple[str, list[Case]]]:
    names = dict.fromkeys(case[key] for case in cases)
    return [(name, [case for case in cases if case[key] == name]) for name in names]


def _share(own: Sequence[Case], which: int = 0) -> float:
    return sum(is_better(case, which) for case in own) / len(own)


def _counts(own: list[Case]) -> list[str]:
    """Return how many were better, the shares, and the median ratio of the errors."""
    both = [case for case in own if case["before"] and case["after"]]
    ratios = [case["after"][0] / max(case["before"][0], 1e-9) for case in both]
    ratio = f"{median(ratios):.2f} times" if ratios else "-"
    better = sum(map(is_better, own))
    return [f"{better:,}", f"{_share(own):.0%}", f"{_share(own, 1):.0%}", ratio]


def _words(own: list[Case]) -> list[str]:
    """Return each word with its runs, and how many next specs were better of how many."""
    parts = []
    for word, number in Counter(case["word"] for case in own).most_common():
        next_specs = [case for case in own if case["word"] == word and case["kind"]]
        better = f" ({sum(map(is_better, next_specs))} of {len(next_specs)} better)"
        parts.append(f"`{word}` {number}{better if next_specs else ''}")
    return [", ".join(parts)]
