"""A transaction on a host that is cut off ends, at both ends of its connection."""

import subprocess
import sys

import pytest
from sqlalchemy import text

from core.database.engine import make_engine
from tests.hosts.services import PostgresHost

pytestmark = [pytest.mark.e2e, pytest.mark.heavy]
_HOLD = """
import sys
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from core.database.engine import make_engine
connection = make_engine(sys.argv[1]).connect()
connection.execute(text("UPDATE t SET x = 2"))
print("locked", flush=True)
sys.stdin.readline()
try:
    connection.execute(text("UPDATE t SET x = 4"))
except OperationalError:
    print("away", flush=True)
"""


def test_a_row_is_unlocked_when_its_host_is_cut_off(hosts, folder, steps):
    """Another worker need not wait a minute for it; the host that is away gets an error."""
    server = PostgresHost(hosts.add_host("postgres"), hosts.subnet, folder / "pg")
    url = server.new_database(folder)
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t AS SELECT 1 AS x"))
    away = hosts.add_host("away")
    command = [*away.prefix, sys.executable, "-c", _HOLD, url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == "locked\n"
        away.cut()
        steps("a host with a locked row is cut off")
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '20s'"))
            connection.execute(text("UPDATE t SET x = 3"))
        steps("the row is unlocked")
        assert process.communicate("\n", timeout=20)[0] == "away\n"
        steps("the host that is away got an error")
    engine.dispose()
    server.kill()
