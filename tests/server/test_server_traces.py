"""Traces from the page to the camera, as a collector gets them."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable

import httpx2
import pytest
from collector import attributes, collector
from websockets.asyncio.client import connect

from conftest import Program
from ringlight.errors import SetupError
from ringlight.http.serving import listen
from ringlight.server.exporting import exporting_spans, is_wanted
from whep_viewer import viewer

CANARY = "canary-92ab"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


async def _visit(url: str) -> None:
    async with httpx2.AsyncClient(base_url=url, timeout=30, headers={"traceparent": PARENT}) as http:
        async with viewer(url, "front-door", http) as seen:
            await seen.receive(30, within=30)
        await http.get(f"api/ring?token={CANARY}", headers={"Authorization": f"Bearer {CANARY}"})
    sockets = url.replace("http", "ws", 1)
    async with connect(f"{sockets}ws/v2?traceparent={PARENT}", proxy=None) as guest:
        await guest.send(json.dumps({"t": "hello", "v": 2, "room": "demo", "role": "doctor", "name": CANARY}))
        assert json.loads(await guest.recv())["t"] == "welcome"
        async with connect(f"{sockets}ws/v2?traceparent={PARENT}", proxy=None) as forger:
            await forger.send(json.dumps({"t": "hello", "v": 2, "token": CANARY}))
            assert json.loads(await forger.recv())["code"] == "ROOM-TOKEN"


@pytest.mark.program
@pytest.mark.anyio
async def test_one_trace_leads_from_the_page_through_the_server_to_the_camera(start: Callable[..., Program]) -> None:
    with collector() as kept:
        program = start("demo", "--port", "0", OTEL_EXPORTER_OTLP_ENDPOINT=kept.url)
        await _visit(program.url)
        code, said = program.stop()
    assert (code, "Traceback" in said) == (0, False), said
    assert kept.services == {"ringlight"}
    (posted,) = kept.named("POST /whep/{camera}")
    assert (posted.trace_id.hex(), posted.parent_span_id.hex()) == (TRACE, "b7ad6b7169203331")
    assert attributes(posted) | {"http.response.status_code": "201"} == attributes(posted)
    (opened,) = kept.named("view open")
    assert (opened.trace_id, opened.parent_span_id) == (posted.trace_id, posted.span_id)
    assert attributes(opened)["ringlight.camera"] == "front-door"
    steps = [span for span in kept.spans if span.parent_span_id == opened.span_id]
    steps.sort(key=lambda span: span.start_time_unix_nano)
    wanted = ("token", "ticket", "socket", "offer", "session", "answer")
    assert tuple(span.name for span in steps)[:6] == tuple(f"view {name}" for name in wanted)
    assert steps[-1].name == "view key frame"
    for before, after in itertools.pairwise(steps):
        assert before.end_time_unix_nano == after.start_time_unix_nano
    joins = {attributes(span).get("error.type", "ok"): span for span in kept.named("room join")}
    assert set(joins) == {"ok", "ROOM-TOKEN"}
    assert {span.trace_id.hex() for span in joins.values()} == {TRACE}
    assert CANARY.encode() not in kept.raw


@pytest.mark.program
def test_a_collector_that_is_not_there_holds_up_nothing(start: Callable[..., Program]) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    program = start("demo", "--port", "0", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
    assert httpx2.get(f"{program.url}api/cameras", timeout=30).status_code == 200
    assert program.stop()[0] == 0  # within the time that a program has for its end


def test_the_environment_decides_whether_anything_is_sent() -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    assert is_wanted(endpoint)
    assert is_wanted({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1"})
    for more in ({"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}):
        assert not is_wanted({**endpoint, **more})
    assert not is_wanted({})
    with (
        pytest.raises(SetupError, match="expected http/protobuf"),
        exporting_spans({**endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}),
    ):
        pass


def test_without_it_nothing_of_the_sdk_is_imported() -> None:
    """Only FastAPI's own import of the interface is there."""
    code = (
        "import sys, ringlight.server.program, ringlight.server.exporting as e\n"
        "with e.exporting_spans({}): print(any(n.startswith(('opentelemetry.sdk', 'google')) for n in sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
