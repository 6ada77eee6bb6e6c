"""Write the page of the spec from the schemas of a spec."""

import json
from collections.abc import Mapping
from typing import Any, get_args

from docs.generating.values import value_of
from fitserve.specs import (
    columns,
    layers,
    optimizers,
    promotion,
    report,
    run,
    training,
    vocabulary,
    webhook,
)
from fitserve.specs.closed import Closed
from fitserve.specs.keras_model import KerasModel
from fitserve.specs.parsing import ParsingSpec

INTRO = """\
# The spec

Generated from the code by `python -m docs.generate`. A spec is the body of
`POST /v1/runs`. Only `dataset` and `target` are required; the run has every default
filled in. A key that is not listed here is refused, and the error suggests a similar one.
[Examples](../../examples/README.md), [presets](../presets.md).
"""
LISTS = {
    "Activations": vocabulary.Activation,
    "Initializers": vocabulary.Initializer,
    "Losses of a regression": vocabulary.RegressionLoss,
    "Losses of two classes": vocabulary.BinaryLoss,
    "Losses of more classes": vocabulary.MulticlassLoss,
    "Metrics of a regression": vocabulary.RegressionMetric,
    "Metrics of two classes": vocabulary.BinaryMetric,
    "Metrics of more classes": vocabulary.MulticlassMetric,
}
PARTS: list[tuple[str, type[Closed]]] = [
    ("The whole", run.RunCreate),
    ("features", run.FeaturesSpec),
    ("A column", columns.ColumnOptions),
    ("split", run.SplitSpec),
    ("model", layers.ModelSpec),
    ("A Keras model", KerasModel),
]
FIT: list[tuple[str, type[Closed]]] = [
    ("fit", training.FitSpec),
    ("EarlyStopping", training.EarlyStopping),
    ("ReduceLROnPlateau", training.ReduceLROnPlateau),
    ("CosineDecay", training.CosineDecay),
    ("report", report.ReportSpec),
    ("promotion", promotion.PromotionSpec),
    ("webhook", webhook.WebhookSpec),
]


def page() -> str:
    """Return docs/reference/spec.md, with every key of every object of a spec."""
    sections = [INTRO]
    sections += [_section(2, title, schema) for title, schema in PARTS]
    sections += ["## Layers\n", *_typed(layers.LAYERS)]
    sections += ["## Regularizers\n", *_typed(layers.REGULARIZERS)]
    sections.append(_section(2, "compile", training.CompileSpec))
    sections += ["## Optimizers\n", *_typed(optimizers.OPTIMIZERS)]
    sections += [_section(2, title, schema) for title, schema in FIT]
    sections += ["## Lists\n", *(_list(*item) for item in LISTS.items())]
    upload = "Options of `POST /v1/datasets`, each detected unless given.\n"
    sections += [_section(2, "How a CSV is read", ParsingSpec, upload)]
    return "\n".join(sections)


def _typed(schemas: Mapping[str, type[Closed]]) -> list[str]:
    """Return a section for each object that a `type` selects."""
    return [_section(3, name, schema) for name, schema in schemas.items()]


def _section(level: int, title: str, schema: type[Closed], intro: str = "") -> str:
    described = schema.model_json_schema()
    text = intro or described["description"] + "\n"
    fields = described["properties"].items()
    names = [name for name, field in fields if name != "type" or "const" not in field]
    rows = [_row(name, schema, described) for name in names]
    head = ["| key | value | default | what it is |", "|---|---|---|---|"] if rows else []
    table = "\n".join([*head, *rows, ""]) if rows else ""
    return "\n".join([f"{'#' * level} {title}\n", text, table])


def _row(name: str, schema: type[Closed], described: dict[str, Any]) -> str:
    field = described["properties"][name]
    is_required = name in described.get("required", ())
    default = "required" if is_required else _default(field.get("default"))
    fields = {part.alias or own: part for own, part in schema.model_fields.items()}
    said = " ".join((fields[name].description or "").split())
    return f"| `{name}` | {value_of(field, described)} | {default} | {said} |"


def _default(value: Any) -> str:
    """Return the default as code, or nothing for None and objects."""
    if value is None or (isinstance(value, dict) and value):
        return ""
    return f"`{json.dumps(value)}`"


def _list(title: str, names: Any) -> str:
    return f"### {title}\n\n" + ", ".join(f"`{name}`" for name in get_args(names)) + "\n"
