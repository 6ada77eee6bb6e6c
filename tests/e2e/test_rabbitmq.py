"""`fitserve up` with a RabbitMQ of the user."""

import pytest

from fitserve import Client
from fitserve.enums import RunStatus
from tests.e2e_service import ROOT, running
from tests.ops.doctor.test_doctor import doctor
from tests.rabbitmq import PASSWORD, needs_rabbitmq, rabbitmq_in

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy, needs_rabbitmq]


def test_a_table_is_read_and_a_run_trains(tmp_path):
    """`fitserve doctor` reaches RabbitMQ, and no log has its password."""
    home = tmp_path / "home"
    with rabbitmq_in(tmp_path / "rabbitmq") as server:
        parts = {"FITSERVE_BROKER_URL": server.url}
        small = {
            "FITSERVE_LIMITS__MAX_INLINE_BYTES": "1000"
        }  # the reader reads the table
        debug = {"FITSERVE_LOG_LEVEL": "DEBUG"}
        with running(home, **parts, **small, **debug) as (url, _), Client(url) as client:
            dataset = client.datasets.upload(ROOT / "examples/data/diabetes.csv")
            assert dataset.status == "ready"
            run = client.runs.create(ROOT / "examples" / "demo.json")
            assert client.runs.wait(run.id).status == RunStatus.SUCCEEDED
            _, findings = doctor(home, FITSERVE_PORT=url.rpartition(":")[2], **parts)
            assert findings["broker"]["detail"] == "The broker answers."
    logs = {path.name: path.read_text() for path in (home / "logs").glob("*.log")}
    assert "worker.log" in logs
    for text in logs.values():
        assert PASSWORD not in text
        assert "for%40tests" not in text
