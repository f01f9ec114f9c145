"""OpenTelemetry whose spans and metrics can be read, for tests."""

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ringlight.http.telemetry import Telemetry


class Telling:
    """Telemetry whose spans and metrics can be read."""

    def __init__(self) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self._tracers = TracerProvider()
        self._tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._meters = MeterProvider(metric_readers=[self._reader])
        self.telemetry = Telemetry(self._tracers, self._meters)

    def spans(self) -> list[ReadableSpan]:
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def metrics(self) -> str:
        data = self._reader.get_metrics_data()
        return data.to_json() if data is not None else ""

    def close(self) -> None:
        self._tracers.shutdown()
        self._meters.shutdown()
