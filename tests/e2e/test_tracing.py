"""Test the traces that a collector receives, from the POST to the fit."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from fitserve import Client
from tests.e2e_service import ROOT, running

pytestmark = [pytest.mark.e2e, pytest.mark.keras, pytest.mark.heavy]
DATA = ROOT / "examples" / "data" / "diabetes.csv"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


class Collector(BaseHTTPRequestHandler):
    """A collector that receives OTLP over HTTP."""

    spans: list

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            import gzip

            body = gzip.decompress(body)
        request = ExportTraceServiceRequest.FromString(body)
        self.spans += [
            span
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Do not log requests."""


@pytest.fixture(scope="module")
def spans(tmp_path_factory) -> Iterator[list]:
    """Return all spans of a service after a training run and a prediction."""
    handler = type("Handler", (Collector,), {"spans": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    home = tmp_path_factory.mktemp("traced")
    with (
        running(home, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as (url, _),
        Client(url) as c,
    ):
        c.datasets.upload(DATA)
        spec = {"dataset": "diabetes", "target": "progression", "model_name": "m"}
        answer = httpx.post(
            f"{url}/v1/runs",
            json=spec | {"fit": {"epochs": 2, "seed": 1}},
            headers={"traceparent": f"00-{TRACE}-{PARENT}-01"},
        )
        assert answer.status_code == 202, answer.text
        c.runs.wait(answer.json()["id"])
        c.predict("m", [[59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87]])
        httpx.get(f"{url}/v1/runs/nope")
    server.shutdown()
    server.server_close()
    return handler.spans


def named(spans, name):
    return [span for span in spans if span.name == name]


def test_a_run_is_one_trace_from_its_caller_to_its_worker(spans):
    """POST, run and the steps of the worker are children of the span before them."""
    (post,) = named(spans, "POST /v1/runs")
    assert post.trace_id.hex() == TRACE
    assert post.parent_span_id.hex() == PARENT
    run = next(span for span in named(spans, "run") if span.trace_id == post.trace_id)
    assert run.parent_span_id == post.span_id
    for name in ("fit", "saving"):
        children = [s for s in named(spans, name) if s.parent_span_id == run.span_id]
        assert len(children) == 1, name
        assert children[0].start_time_unix_nano < children[0].end_time_unix_nano


def test_a_request_has_route_status_and_id(spans):
    """Attributes have the names of the semantic conventions."""
    (span,) = named(spans, "GET /v1/runs/{run_id}")[-1:]
    attributes = {attribute.key: attribute.value for attribute in span.attributes}
    assert attributes["http.route"].string_value == "/v1/runs/{run_id}"
    assert attributes["http.response.status_code"].int_value == 404
    assert attributes["http.request.method"].string_value == "GET"
    assert len(attributes["fitserve.request_id"].string_value) == 16


def test_a_prediction_makes_no_span(spans):
    """The fast path answers without tracing."""
    assert [span.name for span in spans if "predict" in span.name] == []
