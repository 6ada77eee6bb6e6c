"""A network without hosts, and a folder that other users may read."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.hosts.network import NoNamespaces, network


@pytest.fixture
def hosts(steps):
    """Build an empty network, which is removed at the end."""
    try:
        with network() as built:
            yield built
    except NoNamespaces as error:
        pytest.skip(str(error))
    steps("the network and all processes on it are removed")


@pytest.fixture
def folder():
    found = Path(tempfile.mkdtemp(prefix="hosts-", dir="/var/tmp"))
    yield found
    shutil.rmtree(found, ignore_errors=True)
