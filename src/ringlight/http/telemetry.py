"""Spans and metrics of OpenTelemetry: one span for a call, one of kind CLIENT for each attempt, one duration each.

Names and meanings are those of the semantic conventions for HTTP clients. Only who has the `otel` extra makes one;
what goes wrong in here never fails a call.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ringlight.resilience.actions import Outcome
from ringlight.resilience.classify import classify
from ringlight.resilience.operation import Operation

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span as OtelSpan
    from opentelemetry.trace import TracerProvider

__all__ = ["CallSpan", "Telemetry"]

log = logging.getLogger("ringlight.partner")
# The boundaries that the conventions advise, in seconds.
_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


class Telemetry:
    """Makes spans and metrics.

    Args:
        tracers: Whose tracer is used; `None` is the global one.
        meters: Whose meter is used; `None` is the global one.

    Raises:
        ImportError: opentelemetry-api is not installed.
    """

    def __init__(self, tracers: "TracerProvider | None" = None, meters: "MeterProvider | None" = None) -> None:
        from opentelemetry import metrics, trace  # noqa: PLC0415 - an extra

        self.trace = trace
        self.tracer = trace.get_tracer("ringlight.partner", tracer_provider=tracers)
        self.duration = metrics.get_meter("ringlight.partner", meter_provider=meters).create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )

    def begin(self, operation: Operation, request_id: str) -> "CallSpan":
        """Begin a logical call, as a child of whatever span is current."""
        return CallSpan(self, operation, request_id)


class CallSpan:
    """One logical call and its attempts."""

    def __init__(self, telemetry: Telemetry, operation: Operation, request_id: str) -> None:
        self._operation = operation
        self._telemetry = telemetry
        self._trace = telemetry.trace
        self._span: OtelSpan | None = None
        self._attempt: OtelSpan | None = None
        self._attributes: dict[str, str | int] = {}
        self._began = 0.0
        with _harmless():
            attributes = {"ringlight.operation": operation.name, "ringlight.request_id": request_id}
            self._span = telemetry.tracer.start_span(operation.name, attributes=attributes)

    def attempt(self, method: str, url: str, number: int) -> None:
        """Begin an attempt.

        Args:
            method: The HTTP method.
            url: The address; of its query and user nothing is kept.
            number: 1 for the first.
        """
        self._began = time.monotonic()
        with _harmless():
            parts = urlsplit(url)
            host = parts.hostname or ""
            self._attributes = {
                "http.request.method": method,
                "server.address": host,
                "server.port": parts.port or (443 if parts.scheme == "https" else 80),
            }
            shown = dict(self._attributes)
            shown["url.full"] = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" + (
                "?REDACTED" if parts.query else ""
            )
            if number > 1:
                shown["http.request.resend_count"] = number - 1
            context = self._trace.set_span_in_context(self._span) if self._span is not None else None
            kind = self._trace.SpanKind.CLIENT
            self._attempt = self._telemetry.tracer.start_span(method, context, kind, shown)

    def attempted(self, outcome: Outcome) -> None:
        """End the attempt."""
        with _harmless():
            attributes = self._attributes
            if outcome.status is not None:
                attributes["http.response.status_code"] = outcome.status
            fault = classify(self._operation, outcome).code
            if fault is not None:
                attributes["error.type"] = fault
            span, self._attempt = self._attempt, None
            if span is not None:
                if outcome.status is not None:
                    span.set_attribute("http.response.status_code", outcome.status)
                _close(self._trace, span, fault)
            self._telemetry.duration.record(time.monotonic() - self._began, attributes)

    def end(self, code: str | None) -> None:
        """End the call: our code for what went wrong, or `None`."""
        with _harmless():
            if self._attempt is not None:
                _close(self._trace, self._attempt, code)
            if self._span is not None:
                _close(self._trace, self._span, code)
            self._attempt = self._span = None


def _close(trace: Any, span: "OtelSpan", code: str | None) -> None:
    if code is not None:
        span.set_attribute("error.type", code)
        span.set_status(trace.Status(trace.StatusCode.ERROR))
    span.end()


@contextmanager
def _harmless() -> Iterator[None]:
    """Let nothing that goes wrong in a provider or exporter fail the call."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever a foreign provider raises
        log.debug("telemetry failed: %s", type(error).__name__)
