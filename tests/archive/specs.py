"""Define the specs that the archived home trains, and the requests to its models."""

from typing import Any

from tests.archive.tables import (
    CAFE_NFC,
    CAFE_NFD,
    SIZE,
    cells_of,
    homes,
    orders,
)

Spec = dict[str, Any]
Body = dict[str, Any]

HOMES_TARGETS = ("rent", "sold", "grade", "stars")
_TYPES = {"zone": "categorical", "heated": "numeric"}
_OUTPUT = {"type": "Output"}


def network(units: int = 6, **more: Any) -> Spec:
    """Return a network with one small hidden layer."""
    hidden = {"type": "Dense", "units": units, "activation": "relu"}
    return {"layers": [hidden, _OUTPUT], **more}


def _homes(target: str, features: Spec | None = None, **more: Any) -> Spec:
    others = [name for name in HOMES_TARGETS if name != target]
    return {
        "dataset": "homes",
        "target": target,
        "model_name": target,
        "features": {"exclude": [*others, "owner"], "types": _TYPES, **(features or {})},
        "model": network(),
        "fit": {"epochs": 3, "seed": 5},
        "report": {"baselines": False},
        **more,
    }


RENT_1 = _homes(
    "rent",
    {"num_bins": 4},
    fit={"epochs": 2, "seed": 5},
    report={"baselines": True},
    tags={"team": "letting", "city": "Zürich"},
)
RENT_2 = _homes(
    "rent",
    {"num_bins": 4},
    fit={"epochs": 15, "seed": 5, "num_seeds": 2},
    report={"baselines": ["constant"]},
    tags={"team": "letting"},
)
SOLD = {
    k: v for k, v in _homes("sold", fit={"epochs": 4, "seed": 5}).items() if k != "model"
}
_MANY_LAYERS = [
    {"type": "Dense", "units": 8, "kernel_regularizer": {"type": "L2", "l2": 0.001}},
    {"type": "BatchNormalization"},
    {"type": "Activation", "activation": "gelu"},
    {"type": "Dropout", "rate": 0.2},
    {"type": "GaussianNoise", "stddev": 0.1},
    {
        "type": "Dense",
        "units": 5,
        "activation": "tanh",
        "kernel_initializer": "he_normal",
    },
    {"type": "LayerNormalization"},
    _OUTPUT,
]
GRADE = _homes(
    "grade",
    {"exclude": [], "include": [SIZE, "price", "note", "street", "style", "seen"]},
    split={"by": "group", "column": "owner", "test": 0.2},
    model={"layers": _MANY_LAYERS},
    compile={"optimizer": {"type": "AdamW", "learning_rate": 0.01}},
    fit={"epochs": 4, "seed": 5, "class_weight": "balanced"},
)
STARS = _homes(
    "stars",
    task="multiclass",
    split={"by": "time", "column": "seen", "test": 0.2},
    fit={"epochs": 6, "seed": 5, "early_stopping": {"patience": 2}},
)
PAID = {
    "dataset": "orders",
    "target": "paid",
    "model_name": "paid",
    "features": {"exclude": ["spent"], "num_bins": 3},
    "split": {"by": "column", "column": "part"},
    "model": network(ensemble=3),
    "fit": {"epochs": 4, "seed": 5},
    "report": {"baselines": False},
}
SPENT = {
    "dataset": "orders",
    "target": "spent",
    "model_name": "spent",
    "features": {"exclude": ["paid", "part"], "standardize": False},
    "model": {
        "keras": {
            "module": "keras",
            "class_name": "Sequential",
            "config": {
                "layers": [
                    {
                        "module": "keras.layers",
                        "class_name": "Dense",
                        "config": {"units": 5, "activation": "relu"},
                    },
                    {
                        "module": "keras.layers",
                        "class_name": "Dense",
                        "config": {"units": 1},
                    },
                ]
            },
        }
    },
    "compile": {"optimizer": "nadam", "loss": "mae", "metrics": ["mse"]},
    "fit": {
        "epochs": 5,
        "seed": 5,
        "validation_dataset": "orders-later",
        "learning_rate_scheduler": {"type": "CosineDecay", "warmup_epochs": 1},
    },
    "report": {"baselines": False},
}
WINE = {
    "dataset": "wine",
    "target": "cultivar",
    "model_name": "wine",
    "preset": "small",
    "model": network(4),
    "fit": {"epochs": 5, "seed": 5},
    "report": {"baselines": False},
}
LINE = {
    "dataset": "points",
    "target": "y",
    "model_name": "rent",
    "preset": "linear",
    "fit": {"epochs": 5, "seed": 5},
    "report": {"baselines": False},
}
CANCELLED = LINE | {"model_name": "line", "fit": {"epochs": 5000, "seed": 5}}
BEGUN = LINE | {
    "model_name": "resumed",
    "fit": {"epochs": 600, "seed": 5, "batch_size": 4},
}
DIVERGING = {
    "dataset": "points",
    "target": "y",
    "model_name": "diverging",
    "model": network(),
    "compile": {"optimizer": {"type": "SGD", "learning_rate": 1_000_000}},
    "fit": {"epochs": 30, "seed": 5},
}
ORDERS_NULLS = ["missing", "unknown"]


_BITS = {"true": "1", "false": "0", "": ""}


def _homes_cells() -> list[dict[str, str]]:
    return cells_of(homes(), ";", [0, 3, 4, 5, 6, 17, 41, 100])


def homes_bodies() -> dict[str, Body]:
    """Return predict requests for the models of the homes table, by name."""
    cells = [row | {"heated": _BITS[row["heated"]]} for row in _homes_cells()]
    native: Body = {
        **cells[0],
        SIZE: 81.5,
        "price": 145000,
        "zone": 10,
        "garden": True,
        "heated": 1,
        "built": "13/05/1977",
        "seen": 1_709_300_000,
    }
    empty = dict.fromkeys(native)
    spellings = [
        {**native, "style": CAFE_NFD},
        {**native, "style": CAFE_NFC},
        {**native, "style": "igloo"},
        {**native, "style": "space station", "street": "Weg 999"},
        {**native, "style": " loft ", "street": "Weg 5"},
    ]
    zones = [{**native, "zone": zone} for zone in (6, 6.0, "6", "6,0", 99, "99", None)]
    numbers = [
        {**native, SIZE: 99_999, "price": "9.999.999,99 €"},
        {**native, SIZE: -5, "price": "-12,5"},
        {**native, SIZE: "about 70", "price": "NA"},
        {**native, SIZE: "inf"},
        {**native, SIZE: True, "price": "1500"},
    ]
    others = [
        {**native, "garden": garden, "heated": heated}
        for garden, heated in (
            ("NO", True),
            ("t", "0"),
            (0, False),
            (None, None),
            ("off", "1"),
        )
    ]
    moments = [
        {**native, "built": built, "seen": seen}
        for built, seen in (
            ("1999-12-31", "2024-02-01T00:00:00Z"),
            ("31/12/2050", "2024-02-01T10:00:00+05:30"),
            (0, "2031-01-01"),
            (None, ""),
        )
    ]
    columns = list(native)
    return {
        "cells": {"instances": cells},
        "native": {"instances": [native]},
        "empty": {"instances": [empty, {**empty, "column": "unknown to the model"}]},
        "spellings": {"instances": spellings},
        "zones": {"instances": zones},
        "numbers": {"instances": numbers},
        "booleans": {"instances": others},
        "moments": {"instances": moments},
        "columns": {
            "columns": columns,
            "data": [[row[c] for c in columns] for row in cells],
        },
        "not a number": {"instances": [{**native, SIZE: "eighty"}]},
        "a column too few": {
            "instances": [{k: v for k, v in native.items() if k != SIZE}]
        },
    }


def refused_at_first() -> dict[str, Body]:
    """Return requests for `rent` that 0aab14c refused, and a later release may accept."""
    cells = _homes_cells()
    other = cells[0] | {"heated": "1"}
    return {
        "boolean words for a numeric column": {"instances": cells},
        "an exponent": {"instances": [other | {"price": "1.5e5"}]},
    }


def orders_bodies() -> dict[str, Body]:
    """Return predict requests for the models of the orders table, by name."""
    cells = cells_of(orders(), ",", [0, 1, 2, 3, 4, 7, 50])
    native = {"amount": 2500.5, "share": 0.25, "balance": -20, "channel": "web"}
    return {
        "cells": {"instances": cells},
        "native": {"instances": [native, {**native, "share": 25}]},
        "empty": {"instances": [dict.fromkeys(native)]},
        "own nulls": {
            "instances": [
                {**native, "amount": "missing"},
                {**native, "channel": "unknown"},
                {**native, "channel": "NA"},
                {**native, "channel": ""},
                {**native, "channel": "fax"},
                {**native, "balance": "(999)", "share": "300%"},
            ]
        },
        "not a number": {"instances": [{**native, "amount": "much"}]},
    }


def plain_bodies(text: str) -> dict[str, Body]:
    """Return predict requests with the unchanged rows of a comma-separated table."""
    cells = cells_of(text, ",", [0, 5, 20, 39])
    empty = dict.fromkeys(cells[0])
    return {"cells": {"instances": cells}, "empty": {"instances": [empty]}}
