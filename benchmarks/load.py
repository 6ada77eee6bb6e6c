"""Send load with wrk, a separate program that Debian and Homebrew package."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx

_SCRIPT = Path(__file__).with_name("load.lua")


def need_wrk() -> None:
    """Exit with an instruction if wrk is not installed."""
    if shutil.which("wrk") is None:
        raise SystemExit("skipped: needs wrk (apt-get install wrk, brew install wrk)")


def load(
    url: str,
    body: Path | None = None,
    *,
    connections: int,
    seconds: int,
    header_length: int | None = None,
) -> dict[str, Any]:
    """Return requests per second and latencies in ms of a repeated request.

    A connection waits for its response before it sends the next request, so no pause of
    the service is longer than the longest request, `longest_ms`.
    """
    _warm(url, body, header_length)
    more = {"BODY": str(body)} if body else {}
    more |= {"HEADER_LENGTH": str(header_length)} if header_length else {}
    line = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    done = subprocess.run(
        [*line, "-s", str(_SCRIPT), url],
        env=os.environ | more,
        capture_output=True,
        text=True,
        check=True,
    )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if figures.pop("failed"):
        raise SystemExit(f"requests failed at {url}: {done.stdout}")
    return figures


def _warm(url: str, body: Path | None, header_length: int | None) -> None:
    """Send a few requests first, so that the rate excludes a cold start."""
    name = "Inference-Header-Content-Length"
    headers = {name: str(header_length)} if header_length else {}
    headers["Content-Type"] = "application/json"
    for _ in range(5):
        if body is None:
            httpx.get(url)
        else:
            httpx.post(url, content=body.read_bytes(), headers=headers, timeout=60)
