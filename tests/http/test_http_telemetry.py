"""Spans and metrics: one span for a call, one for each attempt, and nothing in them that opens a door."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from fault_server import OK, failing_server, say_on
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, StatusCode
from shells import KINDS, asks, one_by_one
from telling import Telling

from ringlight.errors import RingError
from ringlight.http.telemetry import Telemetry
from ringlight.resilience.pipeline import Done

UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
UNAVAILABLE = b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def telling() -> Iterator[Telling]:
    one = Telling()
    yield one
    one.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_is_one_span_with_a_child_for_each_attempt(kind: str, telling: Telling) -> None:
    with failing_server(say_on(UNAUTHORIZED, UNAVAILABLE, OK)) as server:
        (done,) = one_by_one(kind, [asks(f"{server.url}", bearer=True)], telemetry=telling.telemetry)
    assert isinstance(done, Done)
    call, *attempts = telling.spans()
    assert (call.name, call.kind, call.status.status_code) == ("devices.list", SpanKind.INTERNAL, StatusCode.UNSET)
    assert call.context is not None
    assert [(span.kind, span.parent and span.parent.span_id) for span in attempts] == [
        (SpanKind.CLIENT, call.context.span_id)
    ] * 3
    told = [dict(span.attributes or {}) for span in attempts]
    assert [one["http.response.status_code"] for one in told] == [401, 503, 200]
    assert [one.get("http.request.resend_count") for one in told] == [None, 1, 2]
    assert [one.get("error.type") for one in told] == ["PARTNER-AUTH", "PARTNER-UNAVAILABLE", None]
    assert [span.status.status_code for span in attempts] == [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET]
    assert told[0]["http.request.method"] == "GET"
    assert told[0]["url.full"] == f"{server.url}/v1/devices"


def test_a_call_that_fails_is_marked_by_our_code(telling: Telling) -> None:
    (error,) = one_by_one("sync", [asks("http://127.0.0.1:1")], telemetry=telling.telemetry)
    assert isinstance(error, RingError)
    call, *attempts = telling.spans()
    assert len(attempts) == 3
    assert (call.attributes or {})["error.type"] == "NET-UNREACHABLE"
    assert call.status.status_code is StatusCode.ERROR


def test_durations_are_counted_by_status_and_fault(telling: Telling) -> None:
    with failing_server(say_on(UNAVAILABLE, OK)) as server:
        one_by_one("sync", [asks(server.url)], telemetry=telling.telemetry)
    (metric,) = json.loads(telling.metrics())["resource_metrics"][0]["scope_metrics"][0]["metrics"]
    assert (metric["name"], metric["unit"]) == ("http.client.request.duration", "s")
    points = {point["attributes"]["http.response.status_code"]: point for point in metric["data"]["data_points"]}
    assert set(points) == {503, 200}
    assert points[503]["attributes"]["error.type"] == "PARTNER-UNAVAILABLE"
    assert "url.full" not in points[200]["attributes"], "one series for each address would be too many"


def test_nothing_of_the_query_or_the_user_part_is_kept(telling: Telling) -> None:
    span = telling.telemetry.begin(asks("http://h").operation, "id")
    span.attempt("GET", "https://ada:canary@media.example/clip.mp4?X-Amz-Signature=canary", 1)
    span.end("cancelled")
    call, attempt = telling.spans()
    assert (attempt.attributes or {})["url.full"] == "https://media.example/clip.mp4?REDACTED"
    assert (call.attributes or {})["error.type"] == "cancelled"


def test_telemetry_that_fails_fails_no_call() -> None:
    class Failing(TracerProvider):
        def get_tracer(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
            class Tracer:
                def start_span(self, *args: object, **kwargs: object) -> object:
                    raise RuntimeError("of the provider")

            return Tracer()

    with failing_server(say_on(OK)) as server:
        (done,) = one_by_one("sync", [asks(server.url)], telemetry=Telemetry(Failing()))
    assert isinstance(done, Done)


def test_opentelemetry_is_not_imported_by_who_does_not_want_it() -> None:
    code = "import sys, ringlight.http.calling, ringlight.http.async_calling; print('opentelemetry' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
