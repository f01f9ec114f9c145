"""Spans: nothing where they are off, and never a fault of their own."""

import contextvars
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ringlight import spans
from ringlight.logs import at_hand

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans.use(provider)
    yield exporter
    spans.use(None)
    provider.shutdown()


def _ended(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_span_is_a_part_of_what_its_asker_named_and_has_parts_itself(kept: InMemorySpanExporter) -> None:
    request = spans.begin("request", traceparent=PARENT, is_server=True, http__route="/x")
    with request.current():
        view = spans.begin("view open")
        view.step("view ticket")
        view.end("SIG-TICKET")
    request.end()
    request.end("twice")
    found = _ended(kept)
    assert f"{found['request'].context.trace_id:032x}" == PARENT.split("-")[1]
    parents = {name: span.parent and span.parent.span_id for name, span in found.items()}
    assert parents == {
        "request": int(PARENT.split("-")[2], 16),
        "view open": found["request"].context.span_id,
        "view ticket": found["view open"].context.span_id,
    }
    assert dict(found["request"].attributes or {}) == {"http.route": "/x"}
    assert dict(found["view open"].attributes or {}) == {"error.type": "SIG-TICKET"}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        PARENT.upper(),
        PARENT[:-1],
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"ff{PARENT[2:]}",
        f"{PARENT}\n",
    ],
)
def test_a_header_that_names_no_trace_begins_a_new_one(header: str, kept: InMemorySpanExporter) -> None:
    assert spans.trace_of(header) is None
    spans.begin("request", traceparent=header).end()
    assert _ended(kept)["request"].parent is None


def test_where_spans_are_off_all_of_it_does_nothing() -> None:
    span = spans.begin("request", traceparent=PARENT)
    span.put(a=1)
    span.step("step")
    span.happened("again")
    with span.current():
        assert spans.begin("inner") is span
    span.end("X")
    assert not spans.is_on()


def test_the_log_names_the_trace_of_the_page_even_where_spans_are_off() -> None:

    def named() -> dict[str, str]:
        spans.begin("request").name_in_log(PARENT)
        return at_hand()

    assert contextvars.copy_context().run(named) == {"trace": PARENT.split("-")[1]}


def test_a_provider_that_breaks_breaks_nothing_else(
    kept: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(spans._Switch.tracer, "start_span", broken)
    span = spans.begin("request")
    span.step("x")
    span.end()
    assert not kept.get_finished_spans()
