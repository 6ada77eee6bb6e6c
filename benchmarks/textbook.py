"""Serve a model with FastAPI and `keras.Model.predict`, as in many tutorials."""

import sys
from typing import Any

import keras
import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Rows(BaseModel):
    """The rows of a request, as objects."""

    instances: list[dict[str, float]]


def make_app(path: str) -> FastAPI:
    """Return an app that serves the `model.keras` at `path`."""
    model, app = keras.models.load_model(path), FastAPI()

    @app.post("/predict")
    def predict(rows: Rows) -> dict[str, Any]:
        names = rows.instances[0]
        columns = {
            name: np.array([[row[name]] for row in rows.instances]) for name in names
        }
        return {"predictions": model.predict(columns, verbose=0)[:, 0].tolist()}

    @app.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    return app


if __name__ == "__main__":
    uvicorn.run(make_app(sys.argv[1]), port=int(sys.argv[2]), log_level="error")
