"""Tests of /v1/fine_tuning/jobs with OpenAI's own client."""

import re
import threading
import time
from pathlib import Path

import httpx
import openai
import pytest

from core.runs.repository import RunRepository
from core.runs.tables import Run
from tests.service.protocols.models import ROWS, close, table
from tests.service.protocols.openai.jobs import create

pytestmark = pytest.mark.keras
ROOT = Path(__file__).parents[4]


def test_a_job_trains_a_model_that_predicts(client, service, file):
    """The model and its checkpoint give the same predictions."""
    job = create(
        client,
        file,
        suffix="house prices",
        seed=7,
        metadata={"target": "goal", "team": "a"},
        hyperparameters={"n_epochs": 3, "batch_size": 16},
    )
    assert (job.object, job.status, job.model) == ("fine_tuning.job", "queued", "mlp")
    assert (job.training_file, job.validation_file) == (file.id, None)
    assert (job.fine_tuned_model, job.finished_at, job.error) == (None, None, None)
    assert service.bench.execute(job.id)["status"] == "succeeded"

    done = client.fine_tuning.jobs.retrieve(job.id)
    assert (done.status, done.fine_tuned_model) == ("succeeded", "house-prices")
    assert (done.seed, done.metadata) == (7, {"team": "a", "target": "goal"})
    assert done.finished_at >= done.created_at
    used = done.method.supervised.hyperparameters
    # the default network uses three times AdamW's default rate here
    assert (used.n_epochs, used.batch_size, used.learning_rate_multiplier) == (3, 16, 3)

    checkpoint = client.fine_tuning.jobs.checkpoints.list(job.id).data[0]
    assert checkpoint.fine_tuning_job_id == job.id
    assert checkpoint.metrics.valid_loss > 0
    name = checkpoint.fine_tuned_model_checkpoint
    body = {"instances": ROWS}
    newest = client.post(
        "/predict", body={"model": done.fine_tuned_model, **body}, cast_to=dict
    )
    pinned = client.post(f"/models/{name}/predict", body=body, cast_to=dict)
    assert len(newest["predictions"]) == len(ROWS)
    assert close(newest["predictions"], pinned["predictions"])


def test_events_are_epochs_and_messages(client, service, file):
    """The latest event is first, with Keras's and OpenAI's metrics, and pages are complete."""
    job = create(client, file, hyperparameters={"n_epochs": 4})
    service.bench.execute(job.id)
    events = list(client.fine_tuning.jobs.list_events(job.id))
    assert [event.type for event in events].count("metrics") == 4
    assert "succeeded" in events[0].message
    assert events[-1].message.startswith("Queued")
    epochs = [event for event in events if event.type == "metrics"]
    assert [event.data["step"] for event in epochs] == [4, 3, 2, 1]
    assert epochs[0].data["train_loss"] == epochs[0].data["loss"]
    assert epochs[0].data["valid_loss"] == epochs[0].data["val_loss"]
    assert epochs[0].message.startswith("Step 4/4: training loss=")
    for limit in (1, 2, 3):
        paged = client.fine_tuning.jobs.list_events(job.id, limit=limit)
        assert [event.id for event in paged] == [event.id for event in events]


def test_a_failed_job_says_why(client, service, file):
    """`error` and the last event have the problem's detail."""
    spec = {"compile": {"optimizer": {"type": "SGD", "learning_rate": 1e6}}}
    job = create(client, file, extra_body={"spec": spec})
    service.bench.execute(job.id)
    failed = client.fine_tuning.jobs.retrieve(job.id)
    assert (failed.status, failed.error.code) == ("failed", "nan_loss")
    event = client.fine_tuning.jobs.list_events(job.id).data[0]
    assert (event.level, event.message) == ("error", failed.error.message)
    assert client.fine_tuning.jobs.checkpoints.list(job.id).data == []


def test_a_cancelled_job_never_starts(client, file):
    """Cancelling it again gives the same answer."""
    job = create(client, file)
    for _ in range(2):
        assert client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    assert "cancelled" in client.fine_tuning.jobs.list_events(job.id).data[0].message


def test_pausing_is_refused_with_what_to_do_instead(client, job):
    """A known job gets 400, and an unknown one 404."""
    jobs = client.fine_tuning.jobs
    for verb in (jobs.pause, jobs.resume):
        with pytest.raises(openai.BadRequestError, match="Cancel the run"):
            verb(job.id)
        with pytest.raises(openai.NotFoundError, match="no run 'nope'"):
            verb("nope")


def test_jobs_are_listed_and_found_by_metadata(client, file):
    """Every pair must match; `target` and `base_model` are pairs too."""
    made = [
        create(client, file, metadata={"target": "goal", "k": str(i % 2), "of": "list"})
        for i in range(4)
    ]
    ids = [job.id for job in made][::-1]
    jobs = client.fine_tuning.jobs
    page = jobs.list(limit=3, metadata={"of": "list"})
    assert (len(page.data), page.has_more) == (3, True)
    assert [job.id for job in page] == ids
    assert [job.id for job in jobs.list(metadata={"of": "list", "k": "1"})] == ids[::2]
    both = {"of": "list", "target": "goal", "base_model": "mlp"}
    assert len(jobs.list(metadata=both).data) == 4
    assert jobs.list(metadata={"target": "other"}).data == []
    assert jobs.list(metadata={"absent": ""}).data == []
    assert {job.id for job in jobs.list(limit=100)} > set(ids)  # includes native runs
    for job in made:
        jobs.cancel(job.id)


def test_the_body_and_the_spec_make_one_run(client, service, file):
    """Hyperparameters, the rate's multiplier and the parts of a spec are combined."""
    held = client.files.create(
        file=("held.csv", table("price").encode()), purpose="fine-tune"
    )
    job = create(
        client,
        file,
        model="ft:mlp/ü",
        validation_file=held.id,
        hyperparameters={"n_epochs": "auto", "learning_rate_multiplier": 3},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 5, "batch_size": "auto"}}},
        metadata={"target": "goal"},
        integrations=None,
        extra_body={"spec": {"compile": {"optimizer": "rmsprop"}, "fit": {"shuffle": False}, "tags": {"a": "b"}, "target": "goal"}},
    )  # fmt: skip
    client.fine_tuning.jobs.cancel(job.id)
    with service.bench.database.read() as session:
        run = RunRepository(session, "default").get(job.id)
    assert isinstance(run, Run)
    assert (run.model_name, run.validation_dataset_id) == ("ft-mlp", held.id)
    fit, optimizer = run.spec.fit, run.spec.compile.optimizer
    assert (fit.epochs, fit.shuffle, fit.batch_size) == (5, False, 32)
    assert optimizer.type == "RMSprop"
    assert close(optimizer.learning_rate, 0.003)
    assert run.tags == {"a": "b", "base_model": "ft:mlp/ü"}
    assert (job.model, job.metadata) == ("ft:mlp/ü", {"a": "b", "target": "goal"})
    assert job.hyperparameters.learning_rate_multiplier == 3
    assert job.validation_file == held.id


def test_every_route_is_in_the_openapi_page(service):
    """Each route has schemas of its body, its answer and its errors."""
    page = httpx.get(f"{service.url}/openapi.json").json()
    ours = {
        (method, path): operation
        for path, operations in page["paths"].items()
        for method, operation in operations.items()
        if "openai" in operation["tags"]
    }
    assert len(ours) == 13, list(ours)
    for operation in ours.values():
        shape = operation["responses"]["4XX"]["content"]["application/json"]["schema"]
        name = shape["$ref"].rpartition("/")[2]
        assert list(page["components"]["schemas"][name]["properties"]) == ["error"]
    body = ours["post", "/v1/fine_tuning/jobs"]["requestBody"]["content"]
    assert "training_file" in body["application/json"]["schema"]["required"]


@pytest.mark.heavy
def test_the_session_in_the_docs_ends_in_a_prediction(service, monkeypatch, capsys):
    """The page's code runs unchanged, while this test acts as the worker."""
    text = (ROOT / "docs/protocols/openai.md").read_text()
    session = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    session = session.replace("http://127.0.0.1:8000", service.url)
    assert service.url in session
    monkeypatch.chdir(ROOT)
    reader = threading.Thread(target=exec, args=(session, {}))
    reader.start()
    while reader.is_alive():
        queued = service.bench.client.get("/v1/runs?status=queued").json()["items"]
        for run in queued:
            service.bench.execute(run["id"])
        time.sleep(0.05)
    assert "succeeded" in (shown := capsys.readouterr().out)
    assert "predictions" in shown.splitlines()[-1]
