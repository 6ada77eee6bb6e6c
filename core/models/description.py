"""Describe the inputs and outputs of a version as JSON Schema."""

from dataclasses import dataclass
from typing import Any

from core.models.example import example_row
from core.models.properties import property_schema
from core.models.signature import Signature
from fitserve.enums import Task
from fitserve.schemas.predict import Cell

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LIKE_TRAINING_ROWS = """\
An instance for version {version} of {model}, like the rows that it was trained on: what \
fits this schema is answered without warnings. The service answers others too if it can \
understand them, and tells in `warnings` what is unlike the training rows; texts are \
read as numbers and booleans, numbers as categories. No property may be absent. Columns \
beyond them are not looked at; one that the dataset had not gets a warning."""


@dataclass(frozen=True)
class Described:
    """A version, and the address at which it is asked.

    Args:
        signature: what it expects and answers.
        version: its number.
        server: URL of the service, without a slash at its end.
        place: behind the model in paths: nothing, or `/versions/3`, or `/aliases/live`.
        wants_key: whether the service answers only to who bears a key.
        most_rows: instances that one request may hold.

    """

    signature: Signature
    version: int
    server: str
    place: str
    wants_key: bool
    most_rows: int

    @property
    def name(self) -> str:
        """The model's."""
        return self.signature.model_name

    @property
    def path(self) -> str:
        """Return the body or the answer of the predict route."""
        return f"/v1/models/{self.name}{self.place}/predict"

    @property
    def url(self) -> str:
        """Return the body or the answer of the predict route."""
        return self.server + self.path

    @property
    def example(self) -> dict[str, Cell]:
        """An instance like the training rows."""
        return example_row(self.signature)


def described_schema(described: Described) -> dict[str, Any]:
    """JSON Schema of one instance; `$defs` has the schema of what comes back for it."""
    versions = f"{described.server}/v1/models/{described.name}/versions"
    return {
        "$schema": DIALECT,
        "$id": f"{versions}/{described.version}/schema",
        **instance_schema(described),
        "$defs": answer_schemas(described.signature),
    }


def instance_schema(described: Described) -> dict[str, Any]:
    """Return the schema of an instance, to be put into another document."""
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
    """Schemas of one `prediction`, and of its `probabilities` if it is a label."""
    target = signature.target
    if signature.task == Task.REGRESSION:
        said = f"The number that the model expects as {target!r}."
        return {"prediction": {"type": "number", "description": said}}
    labels = signature.classes or []
    names = signature.class_names
    return {
        "prediction": {"enum": labels, "description": f"The likeliest {target!r}."},
        "probabilities": {
            "description": f"How likely each {target!r} is; together they make 1.",
            "type": "object",
            "properties": {
                name: {"type": "number", "minimum": 0, "maximum": 1} for name in names
            },
            "required": names,
            "additionalProperties": False,
        },
    }
