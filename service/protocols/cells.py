"""Read the cells that JSON clients send as tensors of one value, or in base64."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from core.errors import InvalidInstances
from service.predictor.values import Cells


def plain_columns(inputs: Mapping[str, Any]) -> dict[str, Cells]:
    """Return columns of plain cells; raises InvalidInstances if one is not a list."""
    return {name: _column(name, cells) for name, cells in inputs.items()}


def _column(name: str, cells: Any) -> Cells:
    if not isinstance(cells, list):
        raise InvalidInstances(
            f"Expected the column {name[:100]!r} as a list, got {str(cells)[:40]!r}."
        )
    return [plain_cell(cell) for cell in cells]


def plain_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of plain cells; most rows already are."""
    kinds = {type(cell) for row in rows for cell in row.values()}
    if kinds.isdisjoint((list, dict)):
        return rows
    return [{name: plain_cell(cell) for name, cell in row.items()} for row in rows]


def plain_cell(cell: Any) -> Any:
    """Return the cell of a tensor of shape [1], and the text of a base64 value."""
    if isinstance(cell, list) and len(cell) == 1:
        cell = cell[0]
    if not isinstance(cell, dict) or cell.keys() != {"b64"}:
        return cell
    try:
        return base64.b64decode(cell["b64"], validate=True).decode()
    except (TypeError, ValueError, binascii.Error) as error:
        raise InvalidInstances(
            f"A `b64` value is not base64 of UTF-8: {error}."
        ) from error
