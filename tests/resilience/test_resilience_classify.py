"""What each outcome means: the table of statuses, the two kinds of 503, and refusals in any shape."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual import answered, failed

from ringlight.errors import ErrorItem
from ringlight.faults import FAULTS
from ringlight.resilience.actions import Answered, Fate
from ringlight.resilience.classify import RULES, Class, Crowd, classify
from ringlight.resilience.decide import Again, CallState, Decision, Fail, Finish, Refresh, Why, decide
from ringlight.resilience.operation import Family, Lane, Operation, Repeat
from ringlight.resilience.options import ALL
from ringlight.resilience.refusals import read_refusal, said
from ringlight.settings import ResilienceSettings

LIST = Operation("devices.list")
DEVICE = Operation("devices.status", device="a")

# status: class, code. Where none is known, the first of its hundred decides (RFC 9110 section 15).
STATUSES = {
    200: (Class.GOOD, None),
    204: (Class.GOOD, None),
    301: (Class.GOOD, None),
    303: (Class.GOOD, None),
    400: (Class.INVALID, "PARTNER-BAD-REQUEST"),
    401: (Class.AUTH, "PARTNER-AUTH"),
    402: (Class.INVALID, "PARTNER-STATUS"),
    403: (Class.PERMISSION, "PARTNER-FORBIDDEN"),
    404: (Class.NOT_FOUND, "PARTNER-NOT-FOUND"),
    408: (Class.TIMEOUT, "PARTNER-SERVER"),
    409: (Class.INVALID, "PARTNER-STATUS"),
    410: (Class.NOT_FOUND, "PARTNER-NOT-FOUND"),
    416: (Class.NOT_READY, "PARTNER-NO-FOOTAGE"),
    418: (Class.INVALID, "PARTNER-STATUS"),
    422: (Class.INVALID, "PARTNER-UNPROCESSABLE"),
    425: (Class.NOT_READY, "PARTNER-NOT-READY"),
    429: (Class.THROTTLED, "PARTNER-RATE"),
    451: (Class.INVALID, "PARTNER-STATUS"),
    500: (Class.SERVER, "PARTNER-SERVER"),
    501: (Class.INVALID, "PARTNER-STATUS"),
    502: (Class.SERVER, "PARTNER-SERVER"),
    503: (Class.UNAVAILABLE, "PARTNER-UNAVAILABLE"),
    504: (Class.SERVER, "PARTNER-SERVER"),
    505: (Class.INVALID, "PARTNER-STATUS"),
    520: (Class.SERVER, "PARTNER-SERVER"),
    599: (Class.SERVER, "PARTNER-SERVER"),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"errors": [{}]}', b'{"errors": null}', b"[]", b"{"])
def test_a_status_alone_has_a_class_and_a_code(status: int, body: bytes) -> None:
    seen = classify(LIST, answered(status, body))
    assert (seen.kind, seen.code) == STATUSES[status]
    assert (seen.code is None) is (seen.kind is Class.GOOD)


def test_a_409_means_something_where_a_live_view_is_opened_only() -> None:
    opening = Operation("live.open", Repeat.ONCE, Lane.LIVE, Family.DEVICE, "door")
    assert classify(opening, answered(409, b"")).code == "PARTNER-VIEW-BUSY"


@settings(deadline=None, max_examples=300)
@given(st.integers(100, 999), st.binary(max_size=60), st.sampled_from([LIST, DEVICE]))
def test_any_status_and_body_has_a_code_of_the_catalogue(status: int, body: bytes, operation: Operation) -> None:
    seen = classify(operation, answered(status, body))
    assert seen.code is None or seen.code in FAULTS


RETRIED = {Class.TIMEOUT, Class.THROTTLED, Class.SERVER, Class.UNAVAILABLE, Class.NEVER_SENT, Class.MAYBE_SENT}


def _decide(operation: Operation, outcome: Answered, **known: float) -> Decision:
    call = CallState(operation, ResilienceSettings(), ALL, 30.0, 3)
    for name, value in known.items():
        setattr(call, name, value)
    return decide(call, classify(operation, outcome), 0.0, lambda: 0.5)


@pytest.mark.parametrize(("repeat", "status"), list(itertools.product(Repeat, STATUSES)))
def test_every_kind_of_operation_with_every_status(repeat: Repeat, status: int) -> None:
    """What may be sent again depends on the operation and on what the answer proves, not on the HTTP method."""
    decision = _decide(Operation("x", repeat), answered(status))
    kind = STATUSES[status][0]
    if kind is Class.GOOD:
        assert decision == Finish()
    elif kind is Class.AUTH:
        assert decision == Refresh()
    elif kind is Class.THROTTLED or status == 425 or (kind in RETRIED and repeat is not Repeat.ONCE):
        assert isinstance(decision, Again)
    else:
        assert decision == Fail(Why.FINAL)


SENT_AGAIN = {
    (Fate.NEVER_SENT, Repeat.SAFE), (Fate.NEVER_SENT, Repeat.IDEMPOTENT), (Fate.NEVER_SENT, Repeat.ONCE),
    (Fate.MAYBE_SENT, Repeat.SAFE), (Fate.MAYBE_SENT, Repeat.IDEMPOTENT),
    (Fate.BROKEN, Repeat.SAFE),
}  # fmt: skip


@pytest.mark.parametrize(("fate", "repeat"), list(itertools.product(Fate, Repeat)))
def test_every_kind_of_operation_with_every_kind_of_broken_exchange(fate: Fate, repeat: Repeat) -> None:
    operation = Operation("x", repeat)
    call = CallState(operation, ResilienceSettings(), ALL, 30.0, 3)
    decision = decide(call, classify(operation, failed(fate)), 0.0, lambda: 0.5)
    assert isinstance(decision, Again) is ((fate, repeat) in SENT_AGAIN)


@pytest.mark.parametrize("kind", Class)
def test_every_class_has_its_row_and_the_rows_agree_with_the_rules(kind: Class) -> None:
    row = RULES[kind]
    if row.forgets or kind in {Class.AUTH, Class.PERMISSION, Class.NOT_FOUND, Class.INVALID}:
        assert not row.stale, "what is not allowed or gone is never given from memory"
        assert row.repeats == frozenset()
    if kind in {Class.THROTTLED, Class.DEVICE_OFFLINE, Class.AUTH}:
        assert row.counts is None, "it says nothing of the service's health"


OFFLINE = [
    b'{"errors": [{"status": "503", "title": "Device Unavailable", "detail": "Device is currently offline"}]}',
    b'{"errors": [{"title": "Service Unavailable", "detail": "Device is currently offline"}]}',
    b'{"errors": [{"code": "DEVICE_OFFLINE"}]}',
    b'{"errors": [{"code": "device_unavailable"}]}',
    b'{"errors": {"detail": "The device is OFFLINE."}}',
    b'{"errors": ["Device is currently offline"]}',
]
BUSY = [
    answered(503, b'{"errors": [{"code": "SERVER_BUSY"}]}'),
    answered(503, b"<html>503 Service Temporarily Unavailable</html>", content_type="text/html; charset=utf-8"),
    answered(503, b"", retry_after="5"),
]
UNCLEAR = [b"", b"{}", b'{"errors": [{"title": "Service Unavailable"}]}', b"not json", b'{"errors": [{"status": 503}]}']


@pytest.mark.parametrize("body", OFFLINE)
@pytest.mark.parametrize("operation", [LIST, DEVICE])
def test_a_503_that_says_so_is_the_device(body: bytes, operation: Operation) -> None:
    seen = classify(operation, answered(503, body))
    assert (seen.kind, seen.code, seen.undecided) == (Class.DEVICE_OFFLINE, "PARTNER-DEVICE-OFFLINE", False)


@pytest.mark.parametrize("outcome", BUSY)
def test_a_503_that_says_busy_names_a_wait_or_comes_from_in_between_is_the_service(outcome: Answered) -> None:
    seen = classify(DEVICE, outcome)
    assert (seen.kind, seen.code) == (Class.UNAVAILABLE, "PARTNER-UNAVAILABLE")


@pytest.mark.parametrize("body", UNCLEAR)
def test_a_503_that_says_nothing_is_the_device_for_its_caller_and_undecided(body: bytes) -> None:
    seen = classify(DEVICE, answered(503, body))
    assert (seen.kind, seen.undecided) == (Class.DEVICE_OFFLINE, True)
    assert classify(LIST, answered(503, body)).kind is Class.UNAVAILABLE


def test_three_different_devices_within_half_a_minute_are_a_crowd() -> None:
    crowd = Crowd()
    assert [crowd.add(name, at) for name, at in [("a", 0), ("a", 1), ("b", 2), ("a", 3), ("c", 33.1)]] == [False] * 5
    assert [crowd.add("d", 33.2), crowd.add("e", 33.3)] == [False, True]
    crowd.remove("d")
    assert not crowd.add("c", 33.4)
    assert not any(crowd.add(f"d{n}", 1000.0 + n * 20) for n in range(1000))


def test_a_403_is_told_apart_by_what_it_says() -> None:
    for words, code in (
        ("TIME_RANGE_NOT_AUTHORIZED", "PARTNER-CONSENT"),
        ("Out of Scope Access", "PARTNER-SCOPE"),
        ("REQUEST_FORBIDDEN", "PARTNER-FORBIDDEN"),
        ("", "PARTNER-FORBIDDEN"),
    ):
        seen = classify(LIST, answered(403, b'{"errors": [{"code": "%s"}]}' % words.encode()))
        assert (seen.kind, seen.code) == (Class.PERMISSION, code)
    assert classify(LIST, answered(403), expired=True).kind is Class.AUTH


def test_the_request_id_is_taken_from_the_fields_or_else_from_the_refusal() -> None:
    body = b'{"errors": [{"id": "r-2"}]}'
    assert classify(LIST, answered(500, body, x_request_id="r-1")).request_id == "r-1"
    assert classify(LIST, answered(500, body)).request_id == "r-2"
    assert classify(LIST, answered(200)).request_id is None


ITEM = ErrorItem("400", "INVALID_PAYLOAD", "Bad", "duration must be positive", "duration", "i")
REFUSALS = [
    (
        b'{"errors": [{"id": "i", "status": "400", "code": "INVALID_PAYLOAD", "title": "Bad",'
        b' "detail": "duration must be positive", "source": {"pointer": "duration"}, "meta": {"x": 1}}]}',
        (ITEM,),
    ),
    (b'{"errors": [{"status": 400}]}', (ErrorItem(status="400"),)),
    (b'{"errors": [{"detail": null, "title": ["x"], "code": true}, null, 7]}', ()),
    (b'{"errors": "gone"}', (ErrorItem(detail="gone"),)),
    (b'{"error": "invalid_grant", "error_description": "x"}', (ErrorItem(code="invalid_grant", detail="x"),)),
    (b'{"message": "Forbidden"}', (ErrorItem(detail="Forbidden"),)),
    (b'[{"title": "T"}]', (ErrorItem(title="T"),)),
    (b' {"errors": []}', ()),
    (b"<html>", ()),
    (b"\xff\xfe{", ()),
    (b"[" * 100_000, ()),
    (b'{"errors": [' + b"{}," * 90_000 + b"{}]}", ()),
    (b'{"errors": [{"source": "duration", "title": "a\\u0000\\n  b"}]}', (ErrorItem(title="a b"),)),
]  # fmt: skip


@pytest.mark.parametrize(("body", "items"), REFUSALS, ids=range(len(REFUSALS)))
def test_refusals_are_read_in_any_shape(body: bytes, items: tuple[ErrorItem, ...]) -> None:
    assert read_refusal(body) == items


def test_only_so_much_of_a_refusal_is_kept_and_nothing_like_a_token_is_repeated() -> None:
    items = read_refusal(b'{"errors": [' + b",".join([b'{"detail": "%s"}' % (b"x" * 1000)] * 100) + b"]}")
    assert (len(items), len(items[0].detail)) == (20, 161)
    assert said((ErrorItem(detail="bad token eyJhbGciOiJIUzI1NiJ9.x"),)) == "bad token …"
    assert said((ITEM,)) == "INVALID_PAYLOAD: Bad: duration must be positive [duration]"


_NAMES = st.sampled_from(["errors", "status", "code", "title", "detail", "source", "pointer", "id", "error", "x"])
_LEAVES = st.none() | st.booleans() | st.floats() | st.text(max_size=5)
_JSON = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3))


@settings(deadline=None, max_examples=100)
@given(_JSON)
def test_no_json_breaks_the_reader(value: object) -> None:
    import json

    for document in (value, {"errors": value}, {"errors": [value]}):
        for item in read_refusal(json.dumps(document).encode()):
            assert item != ErrorItem()


@pytest.mark.parametrize(
    ("outcome", "cost"),
    [
        (answered(500), 14), (answered(503), 14), (answered(503, retry_after="2"), 5), (answered(425), 0),
        (answered(500, retry_after="2"), 14), (answered(429), 5), (answered(429, retry_after="2"), 5),
    ],
)  # fmt: skip
def test_a_retry_costs_less_where_the_server_named_the_wait(outcome: Answered, cost: int) -> None:
    """It knows what it asks for; all others are a guess at its cost, but for a 429, which it may well have counted."""
    decision = _decide(LIST, outcome)
    assert isinstance(decision, Again)
    assert decision.cost == cost


def test_waits_for_footage_are_lengthened_at_random_and_never_shortened() -> None:
    waits = []
    for unready in (0, 1, 2, 3, 500):
        decision = _decide(LIST, answered(425), unready=unready, deadline=1e6)
        assert isinstance(decision, Again)
        waits.append(decision.seconds)
    assert waits == pytest.approx([1.1, 2.2, 4.4, 5.5, 5.5])


def test_the_wait_grows_with_each_failure_and_a_call_has_only_so_many() -> None:
    waits = []
    for failures in range(3):
        decision = _decide(LIST, answered(500), failures=failures)
        waits.append(decision.seconds if isinstance(decision, Again) else decision)
    assert waits == [0.05, 0.1, Fail(Why.ATTEMPTS)]


def test_a_thousand_throttles_neither_overflow_nor_wait_beyond_the_cap() -> None:
    decision = _decide(LIST, answered(429), throttles=5000, deadline=1e6)
    assert isinstance(decision, Again)
    assert decision.seconds == 10.0
