"""Create a home with the checked-out release, and pack it.

    python -m tests.archive.make COMMIT [--folder FOLDER]

writes `home-COMMIT.tar.xz`: the database, the files and `expected.json`, which records
the answers of the release. README.md in this folder lists the contents of the home.
"""

import argparse
import io
import json
import lzma
import re
import sqlite3
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

from core.settings import ReportRules, WebhookRules
from tests.archive import specs
from tests.archive.essentials import exchange, facts
from tests.archive.tables import ORDERS_ROWS, homes, orders, points
from tests.conftest import ServiceUnderTest, bench_in
from tests.servers import redis_of
from tests.service.auth.keys import bearing, make_key

FOLDER = Path(__file__).parent
WINE = FOLDER.parents[1] / "examples" / "data" / "wine.csv"
WEBHOOK = "http://127.0.0.1:9/ended"
"""A port without a server."""


def main() -> None:
    """Parse the command line; create and pack a home."""
    parser = argparse.ArgumentParser(prog="python -m tests.archive.make")
    parser.add_argument("commit", help="names the archive: home-COMMIT.tar.xz")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fitserve-archive-") as folder:
        home = Path(folder) / "home"
        expected = build(home, Path(folder) / "broker")
        compact(home / "fitserve.db")
        refuse_traces(home, [folder, str(Path.cwd()), str(Path.home())])
        target = given.folder / f"home-{given.commit}.tar.xz"
        pack(home, expected, target)
    sys.stdout.write(f"{target.name}: {target.stat().st_size:,} bytes\n")


def build(home: Path, broker: Path) -> dict[str, Any]:
    """Fill a new home; return its recorded answers."""
    rules = {
        "report": ReportRules(),
        "webhooks": WebhookRules(allow_loopback=True, senders=0),
    }
    with redis_of(broker) as url, bench_in(home, url, **rules) as bench:
        keys = {
            "default": make_key(bench, name="archive"),
            "second": make_key(bench, name="archive", workspace="second"),
        }
        _enter(bench, keys["second"])
        _fill_second_workspace(bench)
        _enter(bench, keys["default"])
        queued = _fill_default_workspace(bench)
        _check_statuses(bench)
        asked = {
            "default": _questions(bench, queued["waiting"]),
            "second": _second_questions(),
        }
        return {
            "keys": keys,
            "queued": queued,
            "facts": {name: facts(bench.client, bearing(k)) for name, k in keys.items()},
            "exchanges": [
                {"workspace": name, **question, **exchange(bench.client, question, key)}
                for name, key in keys.items()
                for question in asked[name]
            ],
            "refused_at_first": [
                _post("/v1/models/rent/versions/1/predict", body)
                for body in specs.refused_at_first().values()
            ],
        }


def _enter(bench: ServiceUnderTest, key: str) -> None:
    bench.client.headers.update(bearing(key))


def _fill_second_workspace(bench: ServiceUnderTest) -> None:
    bench.upload(points(3.0), "points")
    bench.train(specs.LINE)


def _fill_default_workspace(bench: ServiceUnderTest) -> dict[str, str]:
    """Upload, train, promote; return the ids of the runs that remain queued."""
    bench.upload(homes(), "homes")
    _upload_orders(bench, orders(), "orders")
    _upload_orders(bench, orders(ORDERS_ROWS, 40), "orders-later")
    bench.upload(WINE, "wine")
    bench.upload(points(2.0), "points")
    gone = bench.upload(points(-1.0), "gone")
    for spec in (
        *(specs.RENT_1, specs.RENT_2, specs.SOLD, specs.GRADE, specs.STARS),
        *(specs.PAID, specs.SPENT, specs.WINE, specs.LINE | {"model_name": "line"}),
        specs.LINE | {"dataset": "gone", "model_name": "orphan"},
        specs.DIVERGING,
    ):
        bench.train(spec)
    assert bench.client.delete(f"/v1/datasets/{gone['id']}").is_success
    _promote(bench)
    return _leave_unfinished(bench)


def _upload_orders(bench: ServiceUnderTest, text: str, name: str) -> None:
    options = {"name": name, "null_values": specs.ORDERS_NULLS}
    answer = bench.client.post("/v1/datasets", params=options, content=text.encode())
    assert answer.status_code == 201, answer.text


def _promote(bench: ServiceUnderTest) -> None:
    better = {"rmse": "< current"}
    for alias, body in (
        ("live", {"version": 1}),
        ("candidate", {"version": 2}),
        ("champion", {"version": 1}),
        ("champion", {"version": 2, "require": better}),
    ):
        path = f"/v1/models/rent/aliases/{alias}"
        answer = bench.client.put(path, json=body)
        assert answer.is_success, answer.text


def _leave_unfinished(bench: ServiceUnderTest) -> dict[str, str]:
    """Cancel two runs, and leave two queued: one not started, one with a checkpoint."""
    never = bench.post(specs.RENT_1)
    assert bench.client.post(f"/v1/runs/{never}/cancel").is_success
    _interrupt(bench, cancel=True)
    started = _interrupt(bench, cancel=False)
    hook = {"url": WEBHOOK, "secret": "whsec_" + "A" * 32}
    waiting = bench.post(specs.RENT_2 | {"webhook": hook, "tags": {"kind": "waiting"}})
    return {"waiting": waiting, "begun": started}


def _interrupt(bench: ServiceUnderTest, *, cancel: bool) -> str:
    """Stop a long run after its first epochs: cancel it, or have its worker hand it back."""
    run_id = bench.post(specs.CANCELLED if cancel else specs.BEGUN)
    path, stop = f"/v1/runs/{run_id}", threading.Event()

    def watch() -> None:
        while bench.client.get(path).json()["progress"]["epoch"] < 20:
            time.sleep(0.02)
        if cancel:
            bench.client.post(f"{path}/cancel")
        else:
            stop.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    bench.execute(run_id, stop.is_set)
    watcher.join()
    return run_id


def _check_statuses(bench: ServiceUnderTest) -> None:
    """Raise an error unless every run has its intended status."""
    runs = bench.client.get("/v1/runs?limit=100").json()["items"]
    failed = [run for run in runs if run["status"] == "failed"]
    assert [run["model_name"] for run in failed] == ["diverging"], failed
    statuses = [run["status"] for run in runs]
    assert statuses.count("cancelled") == statuses.count("queued") == 2, statuses


def _questions(bench: ServiceUnderTest, waiting: str) -> list[dict[str, Any]]:
    """Return the requests to record for the default workspace."""
    tables = {
        **dict.fromkeys(specs.HOMES_TARGETS, specs.homes_bodies()),
        **dict.fromkeys(("paid", "spent"), specs.orders_bodies()),
        "wine": specs.plain_bodies(WINE.read_text()),
        **dict.fromkeys(("line", "orphan"), specs.plain_bodies(points(2.0))),
    }
    versions = [
        (model["name"], number)
        for model in bench.client.get("/v1/models?limit=100").json()["items"]
        for number in model["versions"]
    ]
    native = [
        _post(f"/v1/models/{name}/versions/{number}/predict", body)
        for name, number in versions
        for body in tables[name].values()
    ]
    aliases = [
        _post(f"/v1/models/rent/aliases/{alias}/predict", specs.homes_bodies()["cells"])
        for alias in ("live", "candidate", "champion")
    ]
    protocols = [
        ask
        for name in ("rent", "sold", "paid")
        for ask in _protocols(bench, name, tables[name])
    ]
    return [*native, *aliases, *protocols, _get(f"/v1/runs/{waiting}/webhook")]


def _protocols(
    bench: ServiceUnderTest, name: str, bodies: dict[str, Any]
) -> list[dict[str, Any]]:
    rows = bodies["cells"]["instances"][:3]
    version = bench.client.get(f"/v1/models/{name}/versions/1").json()
    features = [feature["name"] for feature in version["signature"]["features"]]
    rows = [{f: row[f] for f in features} for row in rows]
    tensors = [
        {
            "name": f,
            "shape": [len(rows)],
            "datatype": "BYTES",
            "data": [r[f] for r in rows],
        }
        for f in features
    ]
    return [
        _post(f"/v1/models/{name}/versions/1:predict", {"instances": rows}),
        _get(f"/v1/models/{name}/versions/1/metadata"),
        _post(f"/mlflow/{name}/invocations", {"dataframe_records": rows}),
        _post(
            f"/mlflow/{name}/invocations",
            {
                "dataframe_split": {
                    "columns": features,
                    "data": [list(row.values()) for row in rows],
                },
                "params": {"probabilities": True},
            },
        ),
        _post(f"/v2/models/{name}/versions/1/infer", {"id": "1", "inputs": tensors}),
        _get(f"/v2/models/{name}/versions/1"),
    ]


def _second_questions() -> list[dict[str, Any]]:
    bodies = specs.plain_bodies(points(3.0)).values()
    return [_post("/v1/models/rent/versions/1/predict", body) for body in bodies]


def _post(path: str, body: Any) -> dict[str, Any]:
    return {"method": "POST", "path": path, "body": body}


def _get(path: str) -> dict[str, Any]:
    return {"method": "GET", "path": path, "body": None}


def compact(database: Path) -> None:
    """Write the database into one small file without a journal."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("VACUUM")
    connection.close()
    left = [path.name for path in database.parent.glob(f"{database.name}-*")]
    assert not left, left


def refuse_traces(home: Path, words: list[str]) -> None:
    """Stop if a file, or a member of a zip file, contains a path of this machine."""
    for path in (path for path in home.rglob("*") if path.is_file()):
        contents = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as file:
                contents += [file.read(name) for name in file.namelist()]
        found = [w for w in words for content in contents if _names(w, content)]
        assert not found, (path, found)


def _names(path: str, content: bytes) -> bool:
    """Return whether a file contains the path, except as the beginning of a longer word."""
    return re.search(re.escape(path.encode()) + rb"(?![\w-])", content) is not None


def pack(home: Path, expected: dict[str, Any], target: Path) -> None:
    """Write the archive without owners and times of files."""
    (home / "expected.json").write_text(json.dumps(expected, ensure_ascii=False))
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(path for path in home.rglob("*") if path.is_file()):
            info = tarfile.TarInfo(path.relative_to(home).as_posix())
            info.size, info.mode = path.stat().st_size, 0o600
            with path.open("rb") as file:
                archive.addfile(info, file)
    target.write_bytes(lzma.compress(content.getvalue(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main()
