"""The plan of a run: facts of its table, decided when the run is queued."""

from pydantic import BaseModel, ConfigDict

from core.runs.planning.target import Label
from fitserve.enums import ColumnType
from fitserve.schemas.datasets import ColumnFormat
from fitserve.schemas.runs import LayerPlan


class RunPlan(BaseModel):
    """Layers, columns and classes of a run; fields are the keys of the stored JSON."""

    model_config = ConfigDict(frozen=True)

    layers: list[LayerPlan]
    features: dict[str, ColumnType] = {}
    """The columns that the network sees, in order."""
    excluded: dict[str, str] = {}
    """The other columns, each with the reason."""
    classes: list[Label] = []
    """Sorted; empty for a regression. 1, 1.0, True and "1" are different classes."""
    formats: dict[str, ColumnFormat] = {}
    """How the cells of each feature are written; runs of the first release have none."""
    null_values: list[str] | None = None
    """The texts that mean "missing", if the upload named its own."""

    @property
    def num_params(self) -> int:
        """Return the number of weights of all layers."""
        return sum(layer.params for layer in self.layers)
