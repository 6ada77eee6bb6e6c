"""OpenAI's own client, connected to the service."""

import openai
import pytest

from tests.service.protocols.models import table
from tests.service.protocols.openai.jobs import create


@pytest.fixture(scope="package")
def client(service):
    with openai.OpenAI(
        base_url=f"{service.url}/v1", api_key="any", max_retries=0
    ) as client:
        yield client


@pytest.fixture(scope="package")
def file(client):
    content = table("price").encode()
    return client.files.create(file=("prices.csv", content), purpose="fine-tune")


@pytest.fixture
def job(client, file):
    """Create a queued job."""
    job = create(client, file)
    yield job
    client.fine_tuning.jobs.cancel(job.id)
