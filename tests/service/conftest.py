"""A function that appends to a table."""

import pytest


@pytest.fixture
def append(client):
    """Return a function that appends a body to `table`, and returns the new version."""

    def append(body, name="table", **options):
        url = f"/v1/datasets/{name}/rows"
        answer = client.post(url, params=options, content=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return append
