"""Time zones come from the package tzdata where the system has none."""

import os
import subprocess
import sys

CODE = """
from datetime import datetime
from core.columns.time_zones import cell_in_utc
from fitserve.schemas.datasets import ColumnFormat
from fitserve.specs.time_zone import zone_fault
assert zone_fault("Europe/Berlin") is None
assert zone_fault("Europe/Berlim") is not None
form = ColumnFormat(timezone="Europe/Berlin")
print(cell_in_utc(datetime(2024, 7, 1, 12), form).isoformat())
"""


def test_a_zone_is_found_without_the_database_of_the_system():
    """An empty PYTHONTZPATH hides the database of the system from Python."""
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env=os.environ | {"PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "2024-07-01T10:00:00+00:00"
