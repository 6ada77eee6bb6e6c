"""Spans by OpenTelemetry, where OTEL_* variables ask for them and the extra is installed.

Everywhere else every function here does nothing, and costs a comparison. What is sent,
how much of it and where to is said by OpenTelemetry's own variables alone.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

log = logging.getLogger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_provider: Any = None
_tracer: Any = None


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is somewhere to send spans to, and nothing that forbids it."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp") == "none":
        return False
    return any(environment.get(name) for name in _ENDPOINTS)


def start(process: str) -> None:
    """Begin to trace if it is wanted; in a process that forks, after it has forked."""
    if not is_wanted():
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,  # an extra
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        log.warning("OTEL_… is set, which wants `pip install fitserve[otel]`; no traces")
        return
    name = os.environ.get("OTEL_SERVICE_NAME", f"fitserve-{process}")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    use(provider)


def use(provider: Any) -> None:
    """Trace with this provider; None traces no more."""
    global _provider, _tracer  # noqa: PLW0603  one of a process, as OpenTelemetry has it
    _provider = provider
    _tracer = provider.get_tracer("fitserve") if provider is not None else None


def stop() -> None:
    """Send what is waiting to be sent, and trace no more."""
    if _provider is not None:
        _provider.shutdown()
    use(None)


def flush() -> None:
    """Send what is waiting to be sent: a child may be killed at any time."""
    if _provider is not None:
        _provider.force_flush(2_000)


def is_on() -> bool:
    """Whether spans are made."""
    return _tracer is not None


@contextmanager
def span(
    name: str,
    parent: str | None = None,
    attributes: Mapping[str, str] | None = None,
    *,
    is_server: bool = False,
) -> Iterator[Any]:
    """A span around the block; its child where `parent` is a W3C traceparent."""
    if _tracer is None:
        yield None
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415  an extra

    kind = SpanKind.SERVER if is_server else SpanKind.INTERNAL
    context = _context_of(parent)
    with _tracer.start_as_current_span(name, context, kind, attributes) as made:
        yield made


def traceparent() -> str | None:
    """The current span, as another process can take it up; None where there is none."""
    if _tracer is None:
        return None
    carrier: dict[str, str] = {}
    _propagator().inject(carrier)
    return carrier.get("traceparent")


def _context_of(parent: str | None) -> Any:
    return _propagator().extract({"traceparent": parent}) if parent else None


def _propagator() -> Any:
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,  # an extra
    )

    return TraceContextTextMapPropagator()
