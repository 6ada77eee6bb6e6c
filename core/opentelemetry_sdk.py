"""OpenTelemetry, which is an extra: `core.tracing` imports this when tracing starts."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

__all__ = [
    "BatchSpanProcessor",
    "OTLPSpanExporter",
    "Resource",
    "SpanKind",
    "StatusCode",
    "TraceContextTextMapPropagator",
    "TracerProvider",
]
