"""Whether there are spans at all."""

import subprocess
import sys

import pytest

from core import tracing

THERE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        (THERE, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x/v1/traces"}, True),
        (THERE | {"OTEL_SDK_DISABLED": "true"}, False),
        (THERE | {"OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_they_are_made_where_the_standard_variables_say_so(environment, wanted):
    assert tracing.is_wanted(environment) == wanted


def test_off_it_does_nothing_and_loads_nothing():
    """No variable: the SDK is not imported by building the service."""
    code = (
        "import sys; from core.settings import Settings; from core import tracing; "
        "from service.app import create_app; tracing.start('api'); "
        "create_app(Settings(home='unused')); "
        "assert not tracing.is_on() and tracing.traceparent() is None; "
        "print([m for m in sys.modules if m.startswith('opentelemetry.sdk')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
