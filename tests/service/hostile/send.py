"""Send the hostile specs to a service in this process, and report the answers as JSON.

`python -m tests.service.hostile.send HOME BROKER STEP`: every STEPth case is sent.
"""

import json
import sys
import time
from pathlib import Path

from starlette.testclient import TestClient

from core.database.migrate import upgrade
from core.settings import Limits, Settings
from service.app import create_app
from tests.service.hostile.sound import SPEC, TABLE
from tests.service.hostile.specs import cases


def main(home: str, broker: str, step: int) -> None:
    limits = Limits(max_queued_runs=100_000)
    settings = Settings(home=Path(home), broker_url=broker, limits=limits)
    settings.home_dir.mkdir()
    upgrade(settings.resolved_database_url)
    app = create_app(settings)
    with TestClient(
        app, base_url="http://localhost", raise_server_exceptions=False
    ) as client:
        for name in ("table", "held"):
            client.post(f"/v1/datasets?name={name}", content=TABLE).raise_for_status()
        client.post("/v1/runs/validate", json=SPEC).raise_for_status()
        results = [_sent(client, case) for case in cases()[::step]]
        num_queued = _num_queued(client)
    loaded = [name for name in ("keras", "tensorflow", "onnx") if name in sys.modules]
    json.dump(
        {"results": results, "num_queued": num_queued, "loaded": loaded}, sys.stdout
    )


def _sent(client: TestClient, case) -> dict[str, object]:
    started = time.perf_counter()
    answer = client.post("/v1/runs", content=case.body)
    seconds = time.perf_counter() - started
    kind = answer.headers["content-type"]
    return {
        "name": case.name,
        "is_sound": case.is_sound,
        "status": answer.status_code,
        "is_problem": kind == "application/problem+json",
        "detail": answer.json().get("detail", "")[:300],
        "ms": seconds * 1e3,
    }


def _num_queued(client: TestClient) -> int:
    count, cursor = 0, ""
    while True:
        page = client.get(f"/v1/runs?limit=100&status=queued{cursor}").json()
        count += len(page["items"])
        if page["next_cursor"] is None:
            return count
        cursor = f"&cursor={page['next_cursor']}"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
