"""Sends spans to a collector by OTLP, where the environment says so in OpenTelemetry's own variables."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import ringlight
from ringlight import spans
from ringlight.errors import fault_error

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

__all__ = ["exporting_spans"]

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
FLUSH = 3000  # milliseconds that what is not sent yet may take when the program ends


@contextmanager
def exporting_spans(environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Make spans and send them inside of the `with`, if an endpoint is set and the SDK is not switched off.

    Service name, sampling, headers and time limits are read by the SDK itself: `OTEL_SERVICE_NAME`,
    `OTEL_TRACES_SAMPLER`, `OTEL_EXPORTER_OTLP_HEADERS` and so on.

    Args:
        environment: The variables.

    Raises:
        SetupError: CFG-DEPENDENCY, the extra `otel` is not installed; CFG-INVALID, another protocol is asked for.
    """
    if not is_wanted(environment):
        yield
        return
    provider = _provider(environment)
    spans.use(provider)
    try:
        yield
    finally:
        spans.use(None)
        provider.force_flush(FLUSH)
        provider.shutdown()


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for spans to be sent."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    return any(environment.get(name) for name in ENDPOINTS)


def _provider(environment: Mapping[str, str]) -> "TracerProvider":
    protocol = next((environment[name] for name in PROTOCOLS if environment.get(name)), "http/protobuf")
    if protocol != "http/protobuf":
        raise fault_error("CFG-INVALID", f"{PROTOCOLS[1]}: expected http/protobuf, which every collector takes")
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        detail = "OTEL_EXPORTER_OTLP_ENDPOINT is set, and its packages are not: pip install 'ringlight[otel]'"
        raise fault_error("CFG-DEPENDENCY", detail) from None
    # The exporter logs each failed attempt with a whole traceback; that a collector is away is one line.
    logging.getLogger("opentelemetry.exporter.otlp").setLevel(logging.ERROR)
    named = {SERVICE_VERSION: ringlight.__version__}
    if not environment.get("OTEL_SERVICE_NAME"):
        named[SERVICE_NAME] = "ringlight"
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
