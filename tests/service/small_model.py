"""A model of three raw columns that trains in a second."""

from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

ROWS = "".join(
    f"{i},{'ab'[i % 2]},{'yes' if i > 20 else 'no'},{2 * i}\n" for i in range(40)
)
TABLE = "x,c,label,y\n" + ROWS
FIT = {"epochs": 2, "seed": 1}
SPEC = {"dataset": "table", "target": "y", "model_name": "m", "fit": FIT}
ROW = {"x": 3, "c": "a", "label": True}


def ask(client: TestClient, path: str = "/v1/models/m/predict", **body: Any) -> Response:
    """Post a predict body."""
    return client.post(path, json=body)
