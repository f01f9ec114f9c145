"""A marked secret goes through every kind of failure; then everything that is left behind is searched for the mark."""

import copy
import io
import logging
import pickle
import traceback

import pytest
from fault_server import CASES, case_server, failing_server, say_on
from shells import KINDS, Tokens, asks, one_by_one
from telling import Telling

from ringlight.errors import RingError
from ringlight.resilience.actions import Bearer
from ringlight.resilience.events import Event
from ringlight.resilience.operation import Repeat
from ringlight.secrets import Secret

CANARY = "canary-4d2e"


class Marked(Tokens):
    def refresh(self, refused: Bearer | None) -> Bearer:
        self.renewals += 1
        return Bearer(self.renewals, Secret(f"{CANARY}-{self.renewals}"))


def _left_behind(error: RingError) -> str:
    """Everything that a log, a debugger or an error tracker would make of it."""
    shown = io.StringIO()
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    print(*trace.format(), file=shown)
    pickled = pickle.dumps(error)
    twins = [copy.copy(error), copy.deepcopy(error), pickle.loads(pickled)]
    assert [str(twin) for twin in twins] == [str(error)] * 3
    return f"{error!r} {error} {vars(error)} {pickled!r} {shown.getvalue()}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*CASES, "401 again and again", "an answer that repeats the token"])
def test_no_secret_is_left_behind(kind: str, name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told, events = Telling(), list[Event]()
    answers = {
        "401 again and again": b"HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n",
        "an answer that repeats the token": f"HTTP/1.1 200 OK\r\nSet-Cookie: a={CANARY}\r\n".encode()
        + f"Content-Length: {len(CANARY)}\r\n\r\n{CANARY}".encode(),
    }
    case = CASES.get(name)
    with case_server(case) if case is not None else failing_server(say_on(answers[name])) as server:
        call = asks(
            f"{server.url}", Repeat.ONCE, bearer=True, timeout=case.timeout if case else 20.0,
            json={"password": Secret(CANARY)}, headers={"Cookie": Secret(CANARY)},
        )  # fmt: skip
        (error,) = one_by_one(kind, [call], tokens=Marked(), telemetry=told.telemetry, hook=events.append)
    metrics = told.metrics()
    told.close()
    assert isinstance(error, RingError)
    logged = caplog.text + "".join(repr(record.__dict__) for record in caplog.records)
    spans = "".join(span.to_json() for span in told.spans())
    assert spans
    assert "http.client.request.duration" in metrics
    assert events
    for place, left in {
        "log": logged, "error": _left_behind(error), "events": repr(events), "spans": spans, "call": repr(call),
        "metrics": metrics,
    }.items():  # fmt: skip
        assert CANARY not in left, place
