"""Training tables, specs and rows for the protocol tests."""

from typing import Any

import numpy as np

KINDS = ["red", "blü", "", "green"]


def table(target: str) -> str:
    """Return a CSV of numbers, texts, booleans and moments, with a target for one task."""
    lines = ["size,kind,paid,when,goal"]
    for i in range(120):
        row = f"{i / 4},{KINDS[i % 4]},{('yes', 'no')[i % 2]},2024-01-{1 + i % 28:02d}"
        lines.append(f"{row},{_goal(target, i)}")
    return "\n".join(lines) + "\n"


def _goal(target: str, i: int) -> str:
    match target:
        case "price":
            return str(i * 1.5 + i % 4)
        case "churn":
            return ("stays", "leaves")[i % 4 == 0]
    return ("low", "mid", "top")[i // 40]


def spec(target: str) -> dict[str, Any]:
    """Return a spec for a short training."""
    fit = {"epochs": 3, "seed": 1}
    return {"dataset": target, "target": "goal", "model_name": target, "fit": fit}


ROWS: list[dict[str, Any]] = [
    {"size": 3.25, "kind": "red", "paid": True, "when": "2024-01-03"},
    {"size": 20, "kind": "blü", "paid": False, "when": "2024-01-20"},
    {"size": 11.5, "kind": "green", "paid": True, "when": "2024-01-11"},
]
COLUMNS: dict[str, list[Any]] = {name: [row[name] for row in ROWS] for name in ROWS[0]}


def close(one: Any, other: Any) -> bool:
    """Return whether numbers agree to 1e-5, ignoring their shape."""
    flat = [np.ravel(np.asarray(numbers, np.float64)) for numbers in (one, other)]
    return np.allclose(*flat, rtol=1e-5, atol=1e-5)
