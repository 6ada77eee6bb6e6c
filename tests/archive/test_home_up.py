"""`fitserve up` starts on a home made by an earlier release."""

import httpx
import pytest

from fitserve import Client
from fitserve.enums import RunStatus
from tests.archive.essentials import differences, exchange
from tests.archive.opening import ARCHIVES, unpack
from tests.e2e.test_up import until
from tests.e2e_service import running
from tests.servers import IS_SCALE_OUT

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.e2e,
    pytest.mark.keras,
    pytest.mark.skipif(IS_SCALE_OUT, reason="the archive holds a SQLite database"),
]


@pytest.mark.timeout(600)  # two queued runs are trained
@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.name)
def test_up_serves_and_continues_training(archive, tmp_path):
    """A recorded prediction is repeated; the queued run ends; its webhook is attempted."""
    expected = unpack(archive, tmp_path / "home")
    key = expected["keys"]["default"]
    loopback = {"FITSERVE_WEBHOOKS__ALLOW_LOOPBACK": "true"}
    with (
        running(tmp_path / "home", **loopback) as (url, _),
        Client(url, api_key=key) as client,
        httpx.Client(base_url=url) as plain,
    ):
        recorded = next(e for e in expected["exchanges"] if e["status"] == 200)
        answer = exchange(plain, recorded, expected["keys"][recorded["workspace"]])
        assert not differences(recorded["answer"], answer["answer"])
        waiting = expected["queued"]["waiting"]
        run = client.runs.wait(waiting, timeout=240)
        assert run.status == RunStatus.SUCCEEDED
        until(lambda: client.runs.webhook(waiting).attempts)
