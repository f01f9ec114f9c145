"""Linking an account, playing a sound, opening and closing a live view: what is sent, and what the answers mean."""

from typing import Any

import pytest
from talking_to_the_api import always, hold, json, refusal

from ringlight.errors import BadRequestError, NotFoundError, PermissionDeniedError, RingError
from ringlight.http.border import content_of
from ringlight.http.flow import Request, Response
from ringlight.partner.api import Api
from ringlight.partner.call import Call
from ringlight.partner.chimes import Chimes
from ringlight.partner.integrations import Integrations
from ringlight.partner.live import Live, LiveSession
from ringlight.resilience.operation import Lane, Repeat

API = Api()
SDP = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"
SESSIONS = "https://api.amazonvision.com/v1/devices/D/media/streaming/whep/sessions"


class Listener:
    """Gives one answer and keeps what was asked."""

    def __init__(self, answer: Response | RingError) -> None:
        self.answer = answer
        self.calls: list[Call[Any]] = []

    def __call__(self, call: Call[Any]) -> Response | RingError:
        self.calls.append(call)
        return self.answer

    @property
    def request(self) -> Request:
        return self.calls[-1].request


def test_a_link_is_confirmed_once_and_completed_as_often_as_needed() -> None:
    """A nonce is good once, so its call is never sent again where it may have arrived."""
    listener = Listener(json({"status": "awaiting"}))
    assert (
        hold(Integrations(API).confirm("NONCE", account_identifier="m***a@shop.example"), listener).status == "awaiting"
    )
    assert listener.calls[0].operation.repeat is Repeat.ONCE
    assert (listener.request.method, listener.request.url) == (
        "POST", "https://api.amazonvision.com/v1/accounts/me/app-integrations",
    )  # fmt: skip
    assert listener.request.json == {"nonce": "NONCE", "account_identifier": "m***a@shop.example"}
    assert "NONCE" not in repr(listener.calls)
    hold(Integrations(API).complete(), listener)
    assert (listener.request.method, listener.request.json) == ("PATCH", {"status": "completed"})
    hold(Integrations(API).pause(), listener)
    assert listener.request.json == {"status": "awaiting"}
    assert [call.operation.repeat for call in listener.calls[1:]] == [Repeat.IDEMPOTENT] * 2


def test_a_nonce_that_ring_does_not_take_is_told_by_its_own_fault() -> None:
    with pytest.raises(BadRequestError) as caught:
        hold(Integrations(API).confirm("N"), always(refusal(400, '{"errors": [{"title": "Invalid Nonce"}]}')))
    assert caught.value.code == "PARTNER-NONCE"
    with pytest.raises(RingError) as nothing:
        Integrations(API).confirm("")
    assert nothing.value.code == "PARTNER-ARGUMENT"


def test_a_token_without_a_link_is_told_with_all_that_is_known_of_the_call() -> None:
    error = NotFoundError("PARTNER-NOT-FOUND", "HTTP 404", retry_after=2.0)
    error.status, error.request_id, error.attempts = 404, "r-9", 1
    with pytest.raises(NotFoundError) as caught:
        hold(Integrations(API).complete(), always(error))
    told = caught.value
    assert (told.code, told.status, told.request_id, told.attempts, told.retry_after) == (
        "PARTNER-NOT-LINKED", 404, "r-9", 1, 2.0,
    )  # fmt: skip


@pytest.mark.parametrize("status", [200, 202, 204, 404, 410])
def test_an_ended_link_is_ended_with_whatever_status(status: int) -> None:
    hold(Integrations(API).remove(), always(Response(status)))


def test_an_app_that_did_not_begin_the_link_is_told_that_it_cannot_end_it() -> None:
    with pytest.raises(PermissionDeniedError) as caught:
        hold(Integrations(API).remove(), always(refusal(403)))
    assert caught.value.code == "PARTNER-ONE-WAY"


def test_a_sound_is_asked_for_in_the_documented_form_or_in_any_other() -> None:
    listener = Listener(json({"data": {"id": "c7a4", "attributes": {"status": "completed"}}}))
    played = hold(Chimes(API).play("BELL", "c7a4"), listener)
    assert (played.id, played.status) == ("c7a4", "completed")
    assert listener.request.json == {"data": {"type": "audio", "attributes": {"audio_ref": "c7a4"}}}
    assert listener.calls[0].operation.repeat is Repeat.ONCE
    hold(Chimes(API).play("BELL", body={"event": "ring-appstore-event-1"}), listener)
    assert listener.request.json == {"event": "ring-appstore-event-1"}
    assert hold(Chimes(API).play("BELL", "c7a4"), always(Response(204))).id == ""
    for wrong in ({}, {"audio_ref": "a", "body": {}}):
        with pytest.raises(RingError) as caught:
            Chimes(API).play("BELL", **wrong)  # type: ignore[arg-type]  # the mistake is the point
        assert caught.value.code == "PARTNER-ARGUMENT"


def test_an_offer_goes_out_as_it_is_and_only_once() -> None:
    listener = Listener(Response(201, {"Content-Type": "application/sdp", "Location": f"{SESSIONS}/S1"}, SDP.encode()))
    session = hold(Live(API).open("D", SDP, component_id="2"), listener)
    assert session == LiveSession("D", SDP, f"{SESSIONS}/S1")
    assert listener.request.url == f"{SESSIONS}?component_id=2"
    assert content_of(listener.request) == SDP.encode()
    assert listener.request.headers["Content-Type"] == "application/sdp"
    operation = listener.calls[0].operation
    assert (operation.repeat, operation.lane, operation.device, operation.total) == (Repeat.ONCE, Lane.LIVE, "D", 10.0)
    assert "v=0" not in repr(listener.calls) + repr(session)


@pytest.mark.parametrize(
    ("location", "meant"),
    [
        (f"{SESSIONS}/S 1#f", f"{SESSIONS}/S%201"),
        ("/v1/devices/D/media/streaming/whep/sessions/S1", f"{SESSIONS}/S1"),
        ("sessions/S1", f"{SESSIONS}/S1"),
    ],
)
def test_a_session_is_named_by_an_address_whole_or_relative(location: str, meant: str) -> None:
    answer = Response(201, {"Location": location}, SDP.encode())
    assert hold(Live(API).open("D", SDP), always(answer)).location == meant


@pytest.mark.parametrize("location", ["https://elsewhere.example/S1", "//elsewhere.example/S1", "http://[::1"])
def test_a_session_elsewhere_never_gets_the_token(location: str) -> None:
    answer = Response(201, {"Location": location}, SDP.encode())
    for conversation in (Live(API).open("D", SDP), Live(API).close(LiveSession("D", SDP, location))):
        with pytest.raises(RingError) as caught:
            hold(conversation, always(answer))
        assert caught.value.code == "PARTNER-ORIGIN"


@pytest.mark.parametrize("headers", [{}, {"Location": ""}])
def test_a_session_without_a_place_ends_by_itself(headers: dict[str, str]) -> None:
    session = hold(Live(API).open("D", SDP), always(Response(201, headers, SDP.encode())))
    assert session.location is None
    listener = Listener(Response(200))
    hold(Live(API).close(session), listener)
    assert listener.calls == []


@pytest.mark.parametrize("status", [200, 204, 404, 410])
def test_a_session_that_has_ended_already_is_closed_too(status: int) -> None:
    listener = Listener(Response(status) if status < 400 else refusal(status))
    hold(Live(API).close(LiveSession("D", SDP, f"{SESSIONS}/S1")), listener)
    assert (listener.request.method, listener.calls[0].operation.repeat) == ("DELETE", Repeat.IDEMPOTENT)


def test_an_answer_in_json_is_understood() -> None:
    body = {"data": {"type": "whep-session", "id": "S", "attributes": {"answer": SDP}}}
    assert hold(Live(API).open("D", SDP), always(json(body))).answer == SDP


def test_what_is_no_sdp_is_neither_sent_nor_taken() -> None:
    with pytest.raises(RingError) as caught:
        Live(API).open("D", "offer")
    assert caught.value.code == "PARTNER-ARGUMENT"
    with pytest.raises(RingError) as answer:
        hold(Live(API).open("D", SDP), always(Response(201, {}, b"welcome")))
    assert answer.value.code == "PARTNER-ANSWER"
