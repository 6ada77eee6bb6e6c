"""Instances in, predictions out."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from fitserve.frames import Tabular

Cell = float | int | bool | str | None
Row = dict[str, Cell] | list[Cell]


class PredictBody(BaseModel):
    """Rows as objects or lists (`instances`), or as `columns` and `data`."""

    model_config = ConfigDict(extra="forbid")

    instances: list[Row] | None = Field(default=None, min_length=1)
    columns: list[str] | None = None
    data: list[list[Cell]] | None = Field(default=None, min_length=1)


class PredictRequest(PredictBody):
    """The same with the model named in the body; newest version unless told."""

    model: str
    version: int | None = Field(default=None, ge=1)
    alias: str | None = None


class CellWarning(BaseModel):
    """Something worth knowing about an instance that was answered all the same."""

    row: int | None = Field(description="From 0; null where all rows are meant.")
    column: str
    detail: str


class PredictResponse(BaseModel, Tabular):
    """One prediction a row: a number, or the label of the likeliest class."""

    model_name: str
    model_version: int
    predictions: list[Any]
    probabilities: list[dict[str, float]] | None = Field(
        default=None, description="Classification only: by class name, one a row."
    )
    warnings: list[CellWarning] | None = Field(
        default=None, description="Present if there are any; the first hundred."
    )
    parsing: dict[str, Any] | None = Field(
        default=None,
        description="How the file was understood, where the request was a file.",
    )

    def table(self) -> dict[str, list[Any]]:
        """Return the column `prediction`, and a column `P(class)` for each class."""
        columns = {"prediction": self.predictions}
        for name in (self.probabilities or [{}])[0]:
            columns[f"P({name})"] = [row[name] for row in self.probabilities or []]
        return columns
