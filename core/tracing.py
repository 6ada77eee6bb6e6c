"""Spans by OpenTelemetry, if OTEL_* variables ask for them and the extra is installed.

Otherwise each function costs a comparison and does nothing. OpenTelemetry's own variables
alone say what is sent, how much of it, and where to.
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
    """Return whether an endpoint is set and nothing disables the spans."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp") == "none":
        return False
    return any(environment.get(name) for name in _ENDPOINTS)


def start(process: str) -> None:
    """Start tracing if it is wanted. A process that forks calls this after the fork."""
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
        log.warning(
            "OTEL_… is set, but OpenTelemetry is missing: no traces are sent; "
            "pip install 'fitserve[otel]'"
        )
        return
    name = os.environ.get("OTEL_SERVICE_NAME", f"fitserve-{process}")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    use(provider)


def use(provider: Any) -> None:
    """Trace with this provider; None stops tracing."""
    global _provider, _tracer  # noqa: PLW0603  one for each process
    _provider = provider
    _tracer = provider.get_tracer("fitserve") if provider is not None else None


def stop() -> None:
    """Send the waiting spans and stop tracing."""
    if _provider is not None:
        _provider.shutdown()
    use(None)


def flush() -> None:
    """Send the waiting spans, because a child may be killed at any time."""
    if _provider is not None:
        _provider.force_flush(2_000)


def is_on() -> bool:
    """Return whether this process traces."""
    return _tracer is not None


@contextmanager
def span(
    name: str,
    parent: str | None = None,
    attributes: Mapping[str, str] | None = None,
    *,
    is_server: bool = False,
) -> Iterator[Any]:
    """Trace the block as a span, below `parent` if that W3C traceparent is given."""
    if _tracer is None:
        yield None
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415  an extra

    kind = SpanKind.SERVER if is_server else SpanKind.INTERNAL
    context = _context_of(parent)
    with _tracer.start_as_current_span(name, context, kind, attributes) as made:
        yield made


def traceparent() -> str | None:
    """Return the W3C traceparent of the current span; None if there is no span."""
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
