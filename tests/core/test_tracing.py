"""Tracing is on only if the standard variables enable it."""

import subprocess
import sys

import pytest

from core import tracing

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x/v1/traces"}, True),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, False),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_enable_spans(environment, wanted):
    assert tracing.is_wanted(environment) == wanted


def test_without_variables_the_sdk_is_not_imported(tmp_path):
    code = (
        "import sys; from core.settings import Settings; from core import tracing; "
        "from service.app import create_app; tracing.start('api'); "
        "create_app(Settings(home=sys.argv[1])); "
        "assert not tracing.is_on() and tracing.traceparent() is None; "
        "print([m for m in sys.modules if m.startswith('opentelemetry.sdk')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
