"""Trace with OpenTelemetry if OTEL_* variables are set and the extra is installed.

Otherwise each function only makes one comparison. OpenTelemetry's own variables are the
only settings: of the endpoint, of the sampling, and of everything else.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from core.lazy import LazyModule

if TYPE_CHECKING:
    from core import opentelemetry_sdk as sdk
else:
    sdk = LazyModule("core.opentelemetry_sdk")

__all__ = [
    "flush",
    "is_on",
    "is_wanted",
    "sdk",
    "span",
    "start",
    "stop",
    "traceparent",
    "use",
]

log = logging.getLogger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_provider: Any = None
_tracer: Any = None


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether an endpoint is set and no variable disables the spans."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp") == "none":
        return False
    return any(environment.get(name) for name in _ENDPOINTS)


def start(process: str) -> None:
    """Start tracing if `is_wanted`. A process that forks calls this after the fork."""
    if not is_wanted():
        return
    try:
        _ = sdk.TracerProvider  # imports the extra
    except ImportError:
        log.warning(
            "OTEL_… is set, but OpenTelemetry is not installed, so no traces are sent; "
            "run pip install 'fitserve[otel]'"
        )
        return
    name = os.environ.get("OTEL_SERVICE_NAME", f"fitserve-{process}")
    resource = sdk.Resource.create({"service.name": name})
    provider = sdk.TracerProvider(resource=resource)
    provider.add_span_processor(sdk.BatchSpanProcessor(sdk.OTLPSpanExporter()))
    use(provider)


def use(provider: Any) -> None:
    """Trace with this provider; None stops tracing."""
    global _provider, _tracer  # noqa: PLW0603  one provider for each process
    _provider = provider
    _tracer = provider.get_tracer("fitserve") if provider is not None else None


def stop() -> None:
    """Send the waiting spans and stop tracing."""
    if _provider is not None:
        _provider.shutdown()
    use(None)


def flush() -> None:
    """Send the waiting spans now, because a child may be killed at any time."""
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
    kind = sdk.SpanKind.SERVER if is_server else sdk.SpanKind.INTERNAL
    context = _context_of(parent)
    with _tracer.start_as_current_span(name, context, kind, attributes) as made:
        yield made


def traceparent() -> str | None:
    """Return the W3C traceparent of the current span; None if there is no span."""
    if _tracer is None:
        return None
    carrier: dict[str, str] = {}
    sdk.TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def _context_of(parent: str | None) -> Any:
    if parent is None:
        return None
    return sdk.TraceContextTextMapPropagator().extract({"traceparent": parent})
