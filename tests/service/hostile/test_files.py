"""Hostile files of every format get an answer of 2xx, or a problem of 4xx that teaches."""

import pytest

from core.storage.scratch import scratch_root
from fitserve.file_formats import HEAD_BYTES, FileFormat, format_of
from tests.conftest import bench_in
from tests.core.datasets.hostile.files import READ
from tests.core.datasets.hostile.typed_files import typed_cases
from tests.core.datasets.hostile.workbook_files import workbook_cases
from tests.service.hostile.packed import packed_cases

WAYS = ["/v1/datasets/preview", "/v1/datasets"]
OTHERS = [*typed_cases()[::3], *workbook_cases()[::4]]


@pytest.fixture(scope="module")
def client(tmp_path_factory, broker_url):
    """Provide a service whose faults are answers, not exceptions of the test."""
    home = tmp_path_factory.mktemp("files") / "home"
    with bench_in(home, broker_url) as bench:
        yield bench.client
    assert list(scratch_root().iterdir()) == []


def answered(client, way, case):
    """Send a file; return the status and the detail of the problem."""
    answer = client.post(way, content=case.content)
    if answer.status_code < 300:
        return answer.status_code, ""
    assert answer.headers["content-type"] == "application/problem+json", case.name
    return answer.status_code, answer.json()["detail"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", packed_cases(), ids=lambda case: case.name)
def test_packed_files(client, way, case):
    """Truncated, damaged, of several parts, and bombs."""
    status, detail = answered(client, way, case)
    if case.expected == READ:
        assert status in {200, 201}
    elif case.expected:
        assert (status // 100, case.expected in detail) == (4, True), detail
    else:
        assert status < 500


@pytest.mark.heavy
@pytest.mark.parametrize("way", WAYS)
def test_files_with_types(client, way):
    """A third of the corpus; a worker would read the workbooks of an upload."""
    wrong = []
    for case in OTHERS:
        is_zip = format_of(case.content[:HEAD_BYTES]) == FileFormat.ZIP
        if is_zip and way == "/v1/datasets":
            continue
        status, detail = answered(client, way, case)
        if status >= 500 or (status >= 300 and not detail):
            wrong.append((case.name, status, detail))
    assert wrong == []
