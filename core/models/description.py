"""Describe the inputs and outputs of a version as JSON Schema."""

from dataclasses import dataclass, replace
from typing import Any

from core.models.example import example_row
from core.models.properties import property_schema
from core.models.signature import Signature
from fitserve.enums import Task
from fitserve.schemas.predict import Cell

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LIKE_TRAINING_ROWS = """\
An instance for version {version} of {model}. Instances that match this schema are like \
the training rows and get no warnings. The service also predicts for other instances if \
it can read them, and lists in `warnings` how they differ from the training rows. It \
reads texts as numbers and booleans, and numbers as categories. No property may be \
absent. Other columns are ignored; a column that the dataset lacked gets a warning."""


@dataclass(frozen=True)
class Described:
    """A version and the URL of its predict route.

    Args:
        signature: the columns that it expects and its answers.
        version: the number of the version.
        server: the URL of the service, without a trailing slash.
        place: the path after the model: empty, `/versions/3` or `/aliases/live`.
        wants_key: whether every request needs an API key.
        most_rows: the maximum number of instances in a request.
        alias: an alias of the version, if the place names neither.

    """

    signature: Signature
    version: int
    server: str
    place: str
    wants_key: bool
    most_rows: int
    alias: str | None = None

    @property
    def by_alias(self) -> "Described":
        """Return the version with the predict route of its alias, if there is one."""
        if self.alias is None:
            return self
        return replace(self, place=f"/aliases/{self.alias}")

    @property
    def name(self) -> str:
        """Return the name of the model."""
        return self.signature.model_name

    @property
    def path(self) -> str:
        """Return the path of the predict route."""
        return f"/v1/models/{self.name}{self.place}/predict"

    @property
    def url(self) -> str:
        """Return the URL of the predict route."""
        return self.server + self.path

    @property
    def example(self) -> dict[str, Cell]:
        """Return an instance like the training rows."""
        return example_row(self.signature)


def described_schema(described: Described) -> dict[str, Any]:
    """Return the JSON Schema of an instance, with its answer's schemas in `$defs`."""
    versions = f"{described.server}/v1/models/{described.name}/versions"
    return {
        "$schema": DIALECT,
        "$id": f"{versions}/{described.version}/schema",
        **instance_schema(described),
        "$defs": answer_schemas(described.signature),
    }


def instance_schema(described: Described) -> dict[str, Any]:
    """Return the schema of an instance, for use in another document."""
    signature = described.signature
    return {
        "title": f"An instance for {described.name}",
        "description": _LIKE_TRAINING_ROWS.format(
            model=described.name, version=described.version
        ),
        "type": "object",
        "properties": {f.name: property_schema(f, signature) for f in signature.features},
        "required": [feature.name for feature in signature.features],
        "additionalProperties": True,
        "examples": [described.example],
    }


def answer_schemas(signature: Signature) -> dict[str, dict[str, Any]]:
    """Return the schemas of `prediction` and, for classes, of `probabilities`."""
    target = signature.target
    if signature.task == Task.REGRESSION:
        text = f"The predicted value of {target!r}."
        return {"prediction": {"type": "number", "description": text}}
    labels = signature.classes or []
    names = signature.class_names
    return {
        "prediction": {"enum": labels, "description": f"The most likely {target!r}."},
        "probabilities": {
            "description": f"The probability of each {target!r}; their sum is 1.",
            "type": "object",
            "properties": {
                name: {"type": "number", "minimum": 0, "maximum": 1} for name in names
            },
            "required": names,
            "additionalProperties": False,
        },
    }
