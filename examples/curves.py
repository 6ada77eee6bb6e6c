"""Draw the curves of docs/tutorial: `python examples/curves.py`."""

import json
import re
from pathlib import Path

import httpx
from demo import running_service

from fitserve import Client

HERE = Path(__file__).parent
TUTORIAL = HERE.parent / "docs" / "tutorial"


def wanted() -> set[str]:
    """Return the examples whose curves the chapters show."""
    text = "".join(path.read_text() for path in TUTORIAL.glob("*.md"))
    return set(re.findall(r"\]\((.+)\.svg\)", text))


def draw(client: Client, url: str, name: str) -> None:
    """Train an example, and write its curve to the folder of the chapters."""
    spec = json.loads((HERE / f"{name}.json").read_text())
    client.datasets.upload(HERE / "data" / f"{spec['dataset']}.csv")
    run = client.runs.wait(client.runs.create(spec).id)
    svg = httpx.get(f"{url}/v1/runs/{run.id}/history.svg").content
    (TUTORIAL / f"{name}.svg").write_bytes(svg)
    print(name, run.stop_reason, run.best_epoch)


if __name__ == "__main__":
    with running_service() as url, Client(url) as client:
        for name in sorted(wanted()):
            draw(client, url, name)
