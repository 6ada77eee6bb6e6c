"""The page of routes, from the OpenAPI document that the service gives."""

import re
from collections import defaultdict
from tempfile import TemporaryDirectory
from typing import Any

from core.settings import Settings
from service.app import create_app

INTRO = """\
# HTTP

Made from the code by `python -m docs.generate`. The running service shows the same with
every schema at `/docs`, and for programs at `/openapi.json`. Failures are
[problems](../problems.md); who may ask what is told by [scopes](../keys.md#scopes).
"""
TITLES = {
    "datasets": "Datasets",
    "runs": "Runs",
    "models": "Models",
    "predict": "Predict",
    "keys": "Keys",
    "health": "Health",
    "openai": "OpenAI's SDK",
    "open-inference": "Open Inference V2",
    "tf-serving": "TensorFlow Serving",
    "mlflow": "MLflow",
}


def page() -> str:
    """Every route by its noun or protocol."""
    lines: dict[str, list[str]] = defaultdict(list)
    for path, methods in sorted(_document()["paths"].items()):
        for method, operation in methods.items():
            does = _first_sentence(operation["description"])
            line = f"| `{method.upper()} {path}` | {does} |"
            lines[TITLES[operation["tags"][0]]].append(line)
    sections = [
        "\n".join([f"\n## {title}\n", "| route | does |", "|---|---|", *lines[title], ""])
        for title in TITLES.values()
    ]
    return INTRO + "".join(sections)


def _document() -> dict[str, Any]:
    with TemporaryDirectory() as home:
        return create_app(Settings(home=home)).openapi()


def _first_sentence(text: str) -> str:
    first = re.split(r"\.(?:\s|$)", text, maxsplit=1)[0]
    return " ".join(first.split())
