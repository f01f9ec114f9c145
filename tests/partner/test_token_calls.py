"""What Ring's token service is asked, and how its answers are judged: only `invalid_grant` means a lost link."""

import json
import pickle
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringlight.errors import AuthError, LinkLost, RingError, TokenEndpointUnavailable, UsageError
from ringlight.http.flow import Response
from ringlight.partner.call import Call
from ringlight.partner.token_calls import (
    TOKEN,
    App,
    Grant,
    ask,
    challenge_of,
    code_exchange,
    refresh,
    verifier_of,
)
from ringlight.resilience.operation import Family, Repeat
from ringlight.secrets import Secret

CANARY = "canary-33d1-"
APP = App("client-1", Secret(f"{CANARY}secret"))
REFRESH = refresh(APP, Secret(f"{CANARY}refresh-1"))
EXCHANGE = code_exchange(APP, Secret(f"{CANARY}code"))
PAIR = {
    "access_token": f"{CANARY}access-2", "refresh_token": f"{CANARY}refresh-2", "scope": "ava.v1:read",
    "expires_in": 14400, "token_type": "Bearer",
}  # fmt: skip


def said(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {"Content-Type": "application/json", **(headers or {})}, raw)


def answered(call: Call[Grant], response: Response) -> Grant:
    flow = ask(call)
    assert next(flow) is call.request
    try:
        flow.send(response)
    except StopIteration as end:
        grant: Grant = end.value
        return grant
    raise AssertionError("it asked twice")


def _plain(call: Call[Grant]) -> dict[str, str]:
    form = call.request.form or {}
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in form.items()}


def test_a_refresh_asks_as_ring_documents_it() -> None:
    assert (REFRESH.request.method, REFRESH.request.url) == ("POST", TOKEN)
    assert _plain(REFRESH) == {
        "grant_type": "refresh_token", "refresh_token": f"{CANARY}refresh-1", "client_id": "client-1",
        "client_secret": f"{CANARY}secret",
    }  # fmt: skip
    assert (REFRESH.bearer, REFRESH.operation.family, REFRESH.operation.repeat) == (
        False, Family.OAUTH, Repeat.IDEMPOTENT,
    )  # fmt: skip


def test_a_code_is_exchanged_once_and_with_its_verifier_where_there_is_one() -> None:
    assert EXCHANGE.operation.repeat is Repeat.ONCE
    assert set(_plain(EXCHANGE)) == {"grant_type", "code", "client_id", "client_secret"}
    assert _plain(code_exchange(APP, Secret("c"), Secret("v" * 43)))["code_verifier"] == "v" * 43


def test_the_answer_of_the_documentation_is_read() -> None:
    grant = answered(REFRESH, said(200, PAIR, {"Date": "Sat, 21 Nov 2026 09:00:00 GMT"}))
    assert grant == Grant(
        Secret(f"{CANARY}access-2"), Secret(f"{CANARY}refresh-2"), 14400.0, ("ava.v1:read",), 1795251600.0
    )


@pytest.mark.parametrize(
    ("change", "lifetime"),
    [
        ({"expires_in": "14400"}, 14400.0), ({"expires_in": " 60 "}, 60.0), ({"expires_in": 7.5}, 7.5),
        ({"expires_in": None}, 1800.0), ({"expires_in": 0}, 1800.0), ({"expires_in": -5}, 1800.0),
        ({"expires_in": True}, 1800.0), ({"expires_in": "soon"}, 1800.0), ({"expires_in": []}, 1800.0),
        ({"expires_in": 10**12}, 30 * 86400.0),
    ],
)  # fmt: skip
def test_a_lifetime_that_makes_no_sense_does_not_cost_the_pair(change: dict[str, object], lifetime: float) -> None:
    """The old pair is spent by then."""
    assert answered(REFRESH, said(200, PAIR | change)).expires_in == lifetime


@pytest.mark.parametrize(
    "body",
    [
        {name: value for name, value in PAIR.items() if name in {"access_token", "refresh_token"}},
        PAIR | {"token_type": None, "scope": ["a"], "more": {"deep": 1}},
        b"\xef\xbb\xbf" + json.dumps(PAIR).encode(),
        b"\r\n " + json.dumps(PAIR).encode(),
    ],
)
def test_what_does_not_matter_may_be_missing_or_odd(body: object) -> None:
    assert answered(EXCHANGE, said(201, body)).refresh == Secret(f"{CANARY}refresh-2")


def test_without_a_new_refresh_token_the_former_one_stays() -> None:
    """RFC 6749 section 6. For a code there is no former one."""
    alone = {"access_token": "a"}
    assert answered(REFRESH, said(200, alone)).refresh == Secret(f"{CANARY}refresh-1")
    with pytest.raises(TokenEndpointUnavailable, match="no usable refresh_token"):
        answered(EXCHANGE, said(200, alone))


HTML = b"<html><title>Sign in to the hotel's network</title></html>"
# What comes instead of tokens, and what it means; nothing here is about the link.
OTHERS: list[tuple[Response, str]] = [
    (said(200, HTML, {"Content-Type": "text/html"}), "LINK-ANSWER"),
    (said(200, b""), "LINK-ANSWER"),
    (said(204, b""), "LINK-ANSWER"),
    (said(200, b'{"access_token": "a", "refresh_to'), "LINK-ANSWER"),
    (said(200, []), "LINK-ANSWER"),
    (said(200, b"[" * 100_000), "LINK-ANSWER"),
    (said(200, {"error": "invalid_grant"}), "LINK-ANSWER"),
    (said(200, PAIR | {"access_token": "a\r\nX: y"}), "LINK-ANSWER"),
    (said(200, PAIR | {"access_token": ""}), "LINK-ANSWER"),
    (said(200, PAIR | {"access_token": 5}), "LINK-ANSWER"),
    (said(302, HTML, {"Location": "https://portal.invalid/"}), "LINK-ANSWER"),
    (said(400, HTML), "LINK-UNAVAILABLE"),
    (said(401, b""), "LINK-UNAVAILABLE"),
    (said(401, {"error": {"code": "invalid_grant"}}), "LINK-UNAVAILABLE"),
    (said(401, {"message": "invalid_grant"}), "LINK-UNAVAILABLE"),
    (said(400, {"error": "something_new"}), "LINK-UNAVAILABLE"),
    (said(400, {"error": "temporarily_unavailable"}), "LINK-UNAVAILABLE"),
    (said(403, HTML, {"Content-Type": "text/html"}), "LINK-UNAVAILABLE"),
    (said(403, {"error": "invalid_grant"}), "LINK-UNAVAILABLE"),
    (said(404, {"error": "invalid_grant"}), "LINK-UNAVAILABLE"),
    (said(407, b""), "LINK-UNAVAILABLE"),
    (said(429, b"", {"Retry-After": "30"}), "LINK-UNAVAILABLE"),
    *((said(status, {"error": "invalid_grant"}), "LINK-UNAVAILABLE") for status in (500, 502, 503, 504, 520, 599)),
    (said(400, {"error": "invalid_client"}), "LINK-REFUSED"),
    (said(401, {"error": "unsupported_grant_type"}), "LINK-REFUSED"),
    (said(401, {"error": " Invalid_Client "}), "LINK-REFUSED"),
    (said(400, {"error": "invalid_request"}), "LINK-REFUSED"),
]


@pytest.mark.parametrize("make", [lambda: REFRESH, lambda: EXCHANGE], ids=["refresh", "code"])
@pytest.mark.parametrize(("response", "code"), OTHERS)
def test_whatever_else_comes_says_nothing_about_the_link(
    make: Callable[[], Call[Grant]], response: Response, code: str
) -> None:
    with pytest.raises(AuthError) as caught:
        answered(make(), response)
    assert caught.value.code == code
    assert isinstance(caught.value, TokenEndpointUnavailable) == (code != "LINK-REFUSED")


@pytest.mark.parametrize("status", [400, 401])
def test_only_invalid_grant_means_that_the_link_is_lost(status: int) -> None:
    gone = said(status, {"error": "invalid_grant", "error_description": f"{CANARY}refresh-1 was used"})
    with pytest.raises(LinkLost) as caught:
        answered(REFRESH, gone)
    assert CANARY not in str(caught.value)
    with pytest.raises(AuthError) as caught_code:
        answered(EXCHANGE, gone)
    assert caught_code.value.code == "LINK-CODE-EXPIRED"
    assert not isinstance(caught_code.value, LinkLost)


def test_the_wait_that_the_answer_names_is_handed_on() -> None:
    with pytest.raises(TokenEndpointUnavailable) as caught:
        answered(REFRESH, said(503, b"", {"Retry-After": "17"}))
    assert caught.value.retry_after == 17.0


@given(st.integers(100, 599), st.one_of(st.binary(max_size=200), st.dictionaries(st.text(max_size=9), st.text()).map(
    lambda body: json.dumps(body).encode()
)), st.dictionaries(st.sampled_from(["content-type", "date", "retry-after"]), st.text(max_size=40)))  # fmt: skip
def test_no_answer_leads_to_anything_but_a_grant_or_a_fault(status: int, body: bytes, headers: dict[str, str]) -> None:
    for call in (REFRESH, EXCHANGE):
        faults: list[RingError] = []
        try:
            answered(call, Response(status, headers, body))
        except RingError as error:
            faults.append(error)
        assert all(fault.code.startswith("LINK-") and "\n" not in str(fault) for fault in faults)


def test_no_repr_or_pickle_shows_what_is_sent_or_given() -> None:
    grant = answered(REFRESH, said(200, PAIR))
    shown = repr([APP, REFRESH, EXCHANGE, REFRESH.request, grant, ask(REFRESH)])
    assert CANARY not in shown
    for secret in (APP, grant):
        with pytest.raises(TypeError):
            pickle.dumps(secret)


def test_the_challenge_of_pkce_is_that_of_the_known_pair() -> None:
    verifier = Secret("synthetic-verifier-000000000000000000000000000000")
    assert challenge_of(verifier) == "WU1-qKbNlvhT8-DMI-NxC9uogDdkkqDrSMQ0acve6xk"


@given(st.binary(min_size=32, max_size=96))
def test_a_verifier_is_made_of_dice_and_has_the_form_of_the_standard(dice: bytes) -> None:
    verifier = verifier_of(dice)
    assert 43 <= len(verifier.reveal()) <= 128
    assert len(challenge_of(verifier)) == 43


@pytest.mark.parametrize("length", [0, 31, 97])
def test_too_few_dice_are_refused(length: int) -> None:
    with pytest.raises(UsageError):
        verifier_of(bytes(length))


@pytest.mark.parametrize("verifier", ["short", "x" * 129, "ü" * 43, "x" * 42 + "\n"])
def test_what_is_no_verifier_has_no_challenge(verifier: str) -> None:
    with pytest.raises(UsageError) as caught:
        challenge_of(Secret(verifier))
    assert verifier not in str(caught.value)
