"""Schemas of predict requests and responses."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from fitserve.frames import Tabular
from fitserve.names import VersionNumber

Cell = float | int | bool | str | None
Row = dict[str, Cell] | list[Cell]


class PredictBody(BaseModel):
    """Rows to predict: objects or lists in `instances`, or `columns` and `data`."""

    model_config = ConfigDict(extra="forbid")

    instances: list[Row] | None = Field(default=None, min_length=1)
    columns: list[str] | None = None
    data: list[list[Cell]] | None = Field(default=None, min_length=1)


class PredictRequest(PredictBody):
    """Rows to predict and the model to use, by default its serving version."""

    model: str
    version: VersionNumber | None = None
    alias: str | None = None


class CellWarning(BaseModel):
    """A warning about a cell; its row was predicted nevertheless."""

    row: int | None = Field(description="0-based row index; null stands for all rows.")
    column: str
    detail: str


class FileRows(BaseModel):
    """The rows of a file; a cell of a text file is text, trimmed, null where empty.

    A column with whole numbers beyond 2^53 is text, because parsers may round them.
    """

    columns: list[str]
    data: list[list[Cell]]


class PredictResponse(BaseModel, Tabular):
    """One prediction per row: a number, or the label of the most probable class."""

    model_name: str
    model_version: int
    predictions: list[Any]
    probabilities: list[dict[str, float]] | None = Field(
        default=None, description="Class probabilities per row; classification only."
    )
    warnings: list[CellWarning] | None = Field(
        default=None, description="The first 100 warnings; absent without warnings."
    )
    parsing: dict[str, Any] | None = Field(
        default=None,
        description="Options with which the file was read; absent if JSON was sent.",
    )
    rows: FileRows | None = Field(
        default=None,
        description="The rows of the file in the order of the predictions; only with "
        "`?rows=true`. Columns without any cell are left out.",
    )

    def table(self) -> dict[str, list[Any]]:
        """Return the column `prediction`, and a column `P(class)` for each class."""
        columns = {"prediction": self.predictions}
        for name in (self.probabilities or [{}])[0]:
            columns[f"P({name})"] = [row[name] for row in self.probabilities or []]
        return columns
