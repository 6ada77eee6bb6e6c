"""Tests of /v1/files with OpenAI's own client."""

import time

import httpx
import openai
import pytest
from pydantic import SecretStr

from core.datasets.repository import DatasetRepository
from fitserve.problems import Problem
from service.app import create_app
from tests.live import live
from tests.service.protocols.models import table
from tests.service.protocols.openai.jobs import create

pytestmark = pytest.mark.keras


def test_a_file_is_a_dataset(client, service, file):
    """A file has the id, the name and the content of its dataset."""
    assert (file.object, file.status, file.purpose) == ("file", "processed", "fine-tune")
    assert (file.filename, file.bytes) == ("prices.csv", len(table("price").encode()))
    assert abs(file.created_at - time.time()) < 600
    assert client.files.retrieve(file.id) == file
    assert client.files.wait_for_processing(file.id) == file
    assert client.files.content(file.id).text == table("price")
    dataset = httpx.get(f"{service.url}/v1/datasets/{file.id}").json()
    assert (dataset["name"], dataset["num_rows"]) == ("prices", 120)


def test_a_deleted_file_is_not_found(client):
    """The later 404 has OpenAI's error format."""
    extra = {"name": "short-lived", "delimiter": ";"}
    made = client.files.create(
        file=b"a;b\n1;2\n3;4\n", purpose="fine-tune", extra_body=extra
    )
    deleted = client.files.delete("short-lived")
    assert (deleted.id, deleted.object, deleted.deleted) == (made.id, "file", True)
    with pytest.raises(openai.NotFoundError) as caught:
        client.files.retrieve(made.id)
    assert caught.value.code == "dataset_not_found"
    assert caught.value.type == "invalid_request_error"
    assert made.id in caught.value.body["message"]


def test_files_come_in_pages_of_either_order(client, file):
    """The client reads all pages and then stops."""
    newest = client.files.list()
    ids = [one.id for one in newest]
    assert file.id in ids
    assert len(ids) >= 4
    assert ids == sorted(ids, reverse=True)
    page = client.files.list(limit=2)
    assert (len(page.data), page.has_more) == (2, True)
    assert [one.id for one in page] == ids
    assert [one.id for one in client.files.list(limit=3, order="asc")] == ids[::-1]
    assert client.files.list(purpose="batch").data == []
    assert client.files.list(purpose="fine-tune", after=ids[-1]).data == []


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"purpose": "batch"}, "expected 'fine-tune'"),
        ({"expires_after": {"anchor": "created_at", "seconds": 3600}}, "expires_after"),
        ({"extra_body": {"delimitr": ";"}}, "did you mean `delimiter`?"),
        ({"extra_body": {"delimiter": "xx"}}, "#/delimiter"),
        ({"file": b""}, "empty"),
        ({"file": b'{"messages": [{"role": "user"}]}\n'}, ""),
    ],
)
def test_an_invalid_upload_is_refused(client, more, message):
    """Other purposes, an expiry, misspelt options and invalid tables are refused."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.create(**{"file": b"a,b\n1,2\n", "purpose": "fine-tune", **more})
    assert message in caught.value.body["message"]


def test_an_upload_without_its_parts_is_refused(client):
    """The form, the file, or a real file is missing."""
    for options in (
        {"content": b"a,b\n1,2\n"},
        {"data": {"purpose": "fine-tune"}},
        {"files": {"purpose": (None, "fine-tune"), "file": (None, "a,b")}},
        {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
    ):
        answer = httpx.post(f"{client.base_url}files", **options)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["message"]


def test_a_file_that_a_job_needs_stays(client, file, job):
    """The 409 names the job."""
    with pytest.raises(openai.ConflictError) as caught:
        client.files.delete(file.id)
    assert job.id in caught.value.body["message"]


def test_a_file_may_be_as_large_as_a_dataset(client):
    """The limit is that of uploads, not that of other bodies."""
    content = b"a,b\n" + b"1,2\n" * 400_000
    file = client.files.create(file=content, purpose="fine-tune")
    assert file.bytes == len(content)
    client.files.delete(file.id)


def test_a_file_that_could_not_be_read_says_why(client, service):
    """The status is `uploaded`, then `error`, and no job accepts the file."""
    file = client.files.create(file=b"a,b\n1,2\n3,4\n", purpose="fine-tune")
    why = Problem(type="/problems/invalid-table", title="T", status=422, detail="Torn.")
    for status, error, seen in (
        ("processing", None, ("uploaded", None)),
        ("failed", why, ("error", "Torn.")),
    ):
        with service.bench.database.write() as session:
            dataset = DatasetRepository(session, "default").get(file.id)
            dataset.status, dataset.error = status, error
            dataset.lease_until = 2**50  # the janitor must not requeue it
        found = client.files.retrieve(file.id)
        assert (found.status, found.status_details) == seen
    with pytest.raises(openai.ConflictError, match="Torn"):
        create(client, file)
    client.files.delete(file.id)


def test_the_client_sends_the_services_key(service):
    """A wrong key raises the client's AuthenticationError."""
    locked = service.bench.settings.model_copy(update={"api_key": SecretStr("k" * 20)})
    with live(create_app(locked)) as url:
        for key in ("k" * 20, "wrong"):
            with openai.OpenAI(base_url=f"{url}/v1", api_key=key) as client:
                if key != "wrong":
                    assert client.files.list().data
                    continue
                with pytest.raises(openai.AuthenticationError, match="API key"):
                    client.files.list()
