"""The conversations with Ring's account services, fed by hand: what is asked, and what each answer means."""

import json
from collections.abc import Callable, Mapping
from typing import TypeVar

import pytest

from ringlight.account import flows
from ringlight.account.answers import TokenRefused
from ringlight.errors import AuthError, CameraError, NetworkError, RateLimited, RingError, fault_error
from ringlight.faults import Retry
from ringlight.http.flow import Flow, Request, Response
from ringlight.secrets import Secret
from ringlight.store import Tokens

T = TypeVar("T")

ACCESS, HARDWARE = Secret("access-1"), "hw-7c0d"
TOKENS = Tokens(ACCESS, Secret("refresh-1"), 0.0, HARDWARE, "ada@ringlight.test")
PAGE_406 = b"<html><head><title>406 Not Acceptable</title></head><body>openresty</body></html>"

FLOWS: dict[str, Callable[[], Flow[object]]] = {
    "sign_in": lambda: flows.sign_in("ada@ringlight.test", Secret("pass-1"), "123456", HARDWARE),
    "refresh": lambda: flows.refresh(TOKENS),
    "register_session": lambda: flows.register_session(ACCESS, HARDWARE),
    "device_list": lambda: flows.device_list(ACCESS, HARDWARE),
    "ticket": lambda: flows.ticket(ACCESS, HARDWARE),
}


def _answer(status: int, body: object = None, headers: Mapping[str, str] | None = None) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, headers or {"Content-Type": "application/json"}, content)


def _talk(flow: Flow[T], *answers: Response) -> tuple[list[Request], T]:
    """Run a flow against these answers, all of which it must want."""
    asked = [next(flow)]
    left = list(answers)
    try:
        while True:
            asked.append(flow.send(left.pop(0)))
    except StopIteration as end:
        assert not left
        return asked, end.value


def _repeat(flow: Flow[object], answer: Response) -> None:
    next(flow)
    while True:
        flow.send(answer)


def _fails(flow: Flow[object], answer: Response) -> RingError:
    """Run a flow against one answer, given as often as it asks."""
    with pytest.raises(RingError) as caught:
        _repeat(flow, answer)
    assert caught.value.__cause__ is None
    return caught.value


# What is asked


def test_signing_in_sends_what_the_app_sends() -> None:
    flow = flows.sign_in("ada@ringlight.test", Secret("pass-1"), None, HARDWARE)
    answer = {"access_token": "a", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r", "scope": "client"}
    (request,), grant = _talk(flow, _answer(200, answer))
    assert (request.method, request.url, request.at) == ("POST", "https://oauth.ring.com/oauth/token", "token")
    assert request.json == {
        "client_id": "ring_official_android",
        "scope": "client",
        "grant_type": "password",
        "username": "ada@ringlight.test",
        "password": Secret("pass-1"),
    }
    assert request.headers == {"hardware_id": HARDWARE, "2fa-support": "true", "2fa-code": Secret("")}
    assert request.bearer is None
    assert grant == flows.Grant(Secret("a"), Secret("r"), 3600.0)


def test_a_code_is_sent_without_the_spaces_that_people_type() -> None:
    flow = flows.sign_in("e", Secret("p"), " 123 456\n", HARDWARE)
    assert next(flow).headers["2fa-code"] == Secret("123456")


@pytest.mark.parametrize("code", ["12345\u0661", "12-34", "１２３"])  # noqa: RUF001 - digits of other scripts
def test_a_code_that_no_header_can_carry_is_wrong_without_asking(code: str) -> None:
    flow = flows.sign_in("e", Secret("p"), code, HARDWARE)
    with pytest.raises(AuthError) as caught:
        next(flow)
    assert caught.value.code == "AUTH-CODE-WRONG"


def test_refreshing_sends_the_refresh_token_and_the_hardware_id() -> None:
    (request,), grant = _talk(
        flows.refresh(TOKENS), _answer(200, {"access_token": "a2", "refresh_token": "r2", "expires_in": 14400})
    )
    assert request.json == {
        "client_id": "ring_official_android",
        "scope": "client",
        "grant_type": "refresh_token",
        "refresh_token": Secret("refresh-1"),
    }
    assert request.headers == {"hardware_id": HARDWARE}
    assert grant == flows.Grant(Secret("a2"), Secret("r2"), 14400.0)


def test_registering_sends_this_installation() -> None:
    (request,), profile = _talk(
        flows.register_session(ACCESS, HARDWARE), _answer(200, {"profile": {"id": 4711, "email": "ada@x", "new": []}})
    )
    assert (request.method, request.url) == ("POST", "https://api.ring.com/clients_api/session")
    assert (request.at, request.bearer, request.headers) == ("session", ACCESS, {"hardware_id": HARDWARE})
    assert request.json == {
        "device": {
            "hardware_id": HARDWARE,
            "metadata": {"api_version": 11, "device_model": "ringlight"},
            "os": "android",
        }
    }
    assert profile == flows.Profile(4711, "ada@x")


@pytest.mark.parametrize(
    "body", [{}, {"profile": None}, {"profile": {}}, {"profile": {"id": "x", "email": 5}}, {"profile": {"id": True}}]
)
def test_a_registration_that_names_nobody_is_still_a_registration(body: object) -> None:
    assert _talk(flows.register_session(ACCESS, HARDWARE), _answer(200, body))[1] == flows.Profile(None, None)


def test_devices_are_listed() -> None:
    (request,), devices = _talk(
        flows.device_list(ACCESS, HARDWARE), _answer(200, {"doorbots": [{"id": 1001, "description": "Front Door"}]})
    )
    assert (request.method, request.url) == ("GET", "https://api.ring.com/clients_api/ring_devices")
    assert (request.at, request.bearer, request.json) == ("clients_api", ACCESS, None)
    assert [camera.name for camera in devices.cameras] == ["Front Door"]


def test_a_ticket_is_asked_for_without_a_body() -> None:
    (request,), ticket = _talk(flows.ticket(ACCESS, HARDWARE), _answer(200, {"ticket": "t", "region": "x"}))
    assert request.method == "POST"
    assert request.url == "https://prd-api-us.prd.rings.solutions/api/v1/clap/ticket/request/signalsocket"
    assert (request.at, request.bearer, request.json, request.form) == ("ticket", ACCESS, None, None)
    assert ticket == Secret("t")


# What each answer means


@pytest.mark.parametrize(
    ("name", "status", "body", "code"),
    [
        ("sign_in", 401, {"error": "access_denied", "error_description": "invalid user credentials"}, "AUTH-PASSWORD"),
        ("sign_in", 400, {"error": "Verification Code is invalid or expired", "err_msg": "x"}, "AUTH-CODE-WRONG"),
        ("sign_in", 412, {"tsv_state": "totp"}, "AUTH-CODE-NEEDED"),
        ("sign_in", 412, PAGE_406, "AUTH-CODE-NEEDED"),
        ("sign_in", 400, {"error_description": "too many requests from dependency service"}, "AUTH-CODE-LIMIT"),
        ("sign_in", 429, {}, "AUTH-RATE"),
        ("sign_in", 503, PAGE_406, "AUTH-UNAVAILABLE"),
        ("sign_in", 403, PAGE_406, "AUTH-ANSWER"),
        ("refresh", 401, {"error": "invalid_grant", "error_description": "revoked"}, "AUTH-LINK-LOST"),
        ("refresh", 400, {"error": "invalid_grant"}, "AUTH-LINK-LOST"),
        ("refresh", 401, PAGE_406, "AUTH-ANSWER"),
        ("refresh", 500, {}, "AUTH-UNAVAILABLE"),
        ("refresh", 302, b"", "AUTH-ANSWER"),
        ("register_session", 401, {}, "AUTH-TOKEN"),
        ("register_session", 403, {}, "ACCOUNT-FORBIDDEN"),
        ("register_session", 429, {}, "AUTH-RATE"),
        ("register_session", 404, {"error": f"no session for {HARDWARE}"}, "ACCOUNT-ANSWER"),
        ("device_list", 401, {}, "AUTH-TOKEN"),
        ("device_list", 403, {}, "ACCOUNT-FORBIDDEN"),
        ("device_list", 404, {"error": f"Session not found for {HARDWARE}"}, "ACCOUNT-SESSION"),
        ("device_list", 404, {"error": "Unknown hardware id"}, "ACCOUNT-SESSION"),
        ("device_list", 404, {}, "ACCOUNT-ANSWER"),
        ("device_list", 429, {}, "RING-RATE"),
        ("device_list", 504, b"", "RING-DOWN"),
        ("device_list", 418, {}, "ACCOUNT-ANSWER"),
        ("ticket", 401, {}, "TICKET-REFUSED"),
        ("ticket", 403, {}, "TICKET-REFUSED"),
        ("ticket", 404, {"error": HARDWARE}, "ACCOUNT-SESSION"),
        ("ticket", 404, {}, "TICKET-ANSWER"),
        ("ticket", 429, {}, "RING-RATE"),
        ("ticket", 500, {}, "RING-DOWN"),
    ],
)
def test_the_catalogue_says_what_a_refusal_means(name: str, status: int, body: object, code: str) -> None:
    error = _fails(FLOWS[name](), _answer(status, body))
    assert error.code == code
    assert f"HTTP {status}" in str(error.detail)


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("body", [PAGE_406, b"", b'{"tsv_state": "sms"}', b'{"error": "invalid_grant"}'])
def test_the_edge_block_is_never_taken_for_something_else(name: str, body: bytes) -> None:
    """Libraries that read the body first report this page as "code needed", and people type codes for ever."""
    error = _fails(FLOWS[name](), _answer(406, body))
    assert error.code == "AUTH-EDGE-BLOCK"
    assert isinstance(error, RateLimited)


@pytest.mark.parametrize(("name", "refused"), [("register_session", 401), ("device_list", 401), ("ticket", 401)])
def test_a_refused_access_token_has_a_class_of_its_own(name: str, refused: int) -> None:
    assert isinstance(_fails(FLOWS[name](), _answer(refused)), TokenRefused)
    assert not isinstance(_fails(FLOWS[name](), _answer(403)), TokenRefused)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"tsv_state": "sms", "phone": "+1xxxxxxxx12", "next_time_in_secs": 60}, "HTTP 412: sms to +xxxxxxxxx12"),
        ({"tsv_state": "sms", "phone": "+49 171 2345678"}, "HTTP 412: sms to +xx xxx xxxxx78"),
        ({"tsv_state": "totp"}, "HTTP 412: totp"),
        ({"phone": "12345"}, "HTTP 412: code to xxx45"),
        ({"tsv_state": 5, "phone": []}, "HTTP 412"),
        ([], "HTTP 412"),
    ],
)
def test_the_detail_says_where_the_code_went_but_not_the_whole_number(body: object, detail: str) -> None:
    error = _fails(FLOWS["sign_in"](), _answer(412, body))
    assert (error.code, error.detail) == ("AUTH-CODE-NEEDED", detail)


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("sign_in", b"", "AUTH-ANSWER"),
        ("sign_in", PAGE_406, "AUTH-ANSWER"),
        ("sign_in", [], "AUTH-ANSWER"),
        ("refresh", {}, "AUTH-ANSWER"),
        ("refresh", "x", "AUTH-ANSWER"),
        ("sign_in", {"access_token": "a"}, "AUTH-ANSWER"),
        ("sign_in", {"access_token": 5, "refresh_token": "r"}, "AUTH-ANSWER"),
        ("sign_in", {"access_token": "a\r\nb", "refresh_token": "r"}, "AUTH-ANSWER"),
        ("sign_in", {"access_token": "", "refresh_token": "r"}, "AUTH-ANSWER"),
        ("refresh", {"access_token": "a", "refresh_token": "ü"}, "AUTH-ANSWER"),
        ("register_session", PAGE_406, "ACCOUNT-ANSWER"),
        ("register_session", [], "ACCOUNT-ANSWER"),
        ("device_list", PAGE_406, "ACCOUNT-ANSWER"),
        ("device_list", [], "ACCOUNT-ANSWER"),
        ("ticket", b"", "TICKET-ANSWER"),
        ("ticket", {"ticket": None}, "TICKET-ANSWER"),
        ("ticket", {"ticket": " "}, "TICKET-ANSWER"),
        ("ticket", {"ticket": "a b"}, "TICKET-ANSWER"),
        ("ticket", {"region": "x"}, "TICKET-ANSWER"),
    ],
)
def test_a_success_in_an_unknown_form_is_a_fault_of_its_step(name: str, body: object, code: str) -> None:
    assert _fails(FLOWS[name](), _answer(200, body)).code == code


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [(3600, 3600.0), (1.5, 1.5), (None, 3600.0), ("x", 3600.0), (-5, 3600.0), (True, 3600.0), (10**30, 2_592_000.0)],
)
def test_a_pair_is_never_thrown_away_for_its_lifetime(expires_in: object, seconds: float) -> None:
    """The old pair is spent by then; losing the new one would lose the account."""
    body = {"access_token": "a", "refresh_token": "r", "expires_in": expires_in}
    assert _talk(flows.refresh(TOKENS), _answer(200, body))[1].expires_in == seconds


def test_without_a_new_refresh_token_the_former_one_stays() -> None:
    assert _talk(flows.refresh(TOKENS), _answer(200, {"access_token": "a"}))[1].refresh == TOKENS.refresh


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0),
        (" 7 ", 7.0),
        ("1.5", None),
        ("0", 0.0),
        ("9999999", 86_400.0),
        ("-1", None),
        ("1e9", None),
        ("soon", None),
        ("Fri, 31 Dec 2027 23:59:59 GMT", 59.0),
        ("Friday, 31-Dec-27 23:59:59 GMT", 59.0),
        ("Sat, 01 Jan 2028 00:59:59 +0100", 59.0),
        ("Fri, 31 Dec 2027 23:00:00 GMT", 0.0),
        ("Fri, 31 Dec 2199 23:59:59 GMT", 86_400.0),
        ("Fri, 99 Dec 2027 23:59:59 GMT", None),
    ],
)
@pytest.mark.parametrize("status", [503, 418])
def test_retry_after_is_carried_in_seconds(header: str, seconds: float | None, status: int) -> None:
    """A date is judged against the answer's own Date: this machine's clock may be wrong."""
    date = "Fri, 31 Dec 2027 23:59:00 GMT"
    error = _fails(FLOWS["register_session"](), _answer(status, {}, {"RETRY-after": header, "Date": date}))
    assert error.retry_after == seconds


def test_a_date_to_wait_for_says_nothing_without_the_date_of_the_answer() -> None:
    error = _fails(FLOWS["device_list"](), _answer(503, {}, {"Retry-After": "Fri, 31 Dec 2027 23:59:59 GMT"}))
    assert error.retry_after is None


@pytest.mark.parametrize("header", [None, "soon", "Fri, 31 Dec 2027 23:59:59 GMT"])
@pytest.mark.parametrize(
    ("name", "status", "body", "seconds"),
    [
        ("register_session", 429, {}, 200.0),
        ("sign_in", 429, {}, 600.0),
        ("sign_in", 400, {"error_description": "too many requests from dependency service"}, 600.0),
        ("sign_in", 429, {"error_description": "Too Many Requests from dependency service"}, 600.0),
        ("refresh", 406, PAGE_406, 3600.0),
        ("refresh", 503, {}, None),
        ("device_list", 406, PAGE_406, None),
    ],
)
def test_without_a_number_there_is_a_sensible_wait(
    name: str, status: int, body: object, seconds: float | None, header: str | None
) -> None:
    error = _fails(FLOWS[name](), _answer(status, body, {"Retry-After": header} if header else {}))
    assert error.retry_after == seconds


# Every row of the answers to a sign-in (observed-protocol.md#the-answers), in both requests for tokens, and
# what is never taken for it: the class says what a caller does next.
CODE_NEEDED = {"next_time_in_secs": 60, "phone": "+1xxxxxxxx12", "tsv_state": "sms"}
SIGN_IN_ANSWERS = [
    (412, CODE_NEEDED, "AUTH-CODE-NEEDED", AuthError, None),
    (412, {**CODE_NEEDED, "tsv_state": "email"}, "AUTH-CODE-NEEDED", AuthError, None),
    (412, {"tsv_state": "totp"}, "AUTH-CODE-NEEDED", AuthError, None),
    (400, {"err_msg": "x", "error": "Verification Code is invalid or expired"}, "AUTH-CODE-WRONG", AuthError, None),
    (
        401,
        {"error": "access_denied", "error_description": "invalid user credentials"},
        "AUTH-PASSWORD",
        AuthError,
        None,
    ),
    (401, {"error": "invalid_grant", "error_description": "x"}, "AUTH-LINK-LOST", AuthError, None),
    (400, {"error_description": "too many requests from dependency service"}, "AUTH-CODE-LIMIT", RateLimited, 600.0),
    (406, PAGE_406, "AUTH-EDGE-BLOCK", RateLimited, 3600.0),
    (406, b"Not Acceptable", "AUTH-EDGE-BLOCK", RateLimited, 3600.0),
    (406, CODE_NEEDED, "AUTH-EDGE-BLOCK", RateLimited, 3600.0),
    (429, {}, "AUTH-RATE", RateLimited, 600.0),
    (500, PAGE_406, "AUTH-UNAVAILABLE", AuthError, None),
    (200, PAGE_406, "AUTH-ANSWER", AuthError, None),
    (200, b"", "AUTH-ANSWER", AuthError, None),
    (204, b"", "AUTH-ANSWER", AuthError, None),
    (302, b"", "AUTH-ANSWER", AuthError, None),
    (451, PAGE_406, "AUTH-ANSWER", AuthError, None),
]


@pytest.mark.parametrize("name", ["sign_in", "refresh"])
@pytest.mark.parametrize(("status", "body", "code", "kind", "wait"), SIGN_IN_ANSWERS)
def test_every_answer_to_a_sign_in(
    name: str, status: int, body: object, code: str, kind: type[RingError], wait: float | None
) -> None:
    if name == "refresh" and code == "AUTH-PASSWORD":
        code = "AUTH-ANSWER"  # none was sent
    error = _fails(FLOWS[name](), _answer(status, body))
    assert (error.code, error.retry_after) == (code, wait)
    assert isinstance(error, kind)


@pytest.mark.parametrize("body", [b"", PAGE_406, {}, {"error": "unauthorized"}])
def test_a_bare_401_to_a_renewal_does_not_end_the_sign_in(body: object) -> None:
    """Only `invalid_grant` does: a proxy's 401 would otherwise cost the user a sign-in."""
    error = _fails(FLOWS["refresh"](), _answer(401, body))
    assert (error.code, error.fault.retry) == ("AUTH-ANSWER", Retry.BACKOFF)


# Two addresses


def _ticket_hosts(*answers: Response | RingError) -> tuple[list[str], object]:
    """Ask for a ticket; return the hosts that were asked, and the ticket or the error."""
    flow, hosts, left = flows.ticket(ACCESS, HARDWARE), [], list(answers)
    try:
        request = next(flow)
        while True:
            hosts.append(request.url.split("/")[2])
            answer = left.pop(0)
            request = flow.throw(answer) if isinstance(answer, RingError) else flow.send(answer)
    except StopIteration as end:
        return hosts, end.value
    except RingError as error:
        return hosts, error


NEW, OLD = "prd-api-us.prd.rings.solutions", "app.ring.com"
NO_NAME, NOT_THERE, GIVEN = fault_error("NET-DNS", NEW), _answer(404, {}), _answer(200, {"ticket": "t"})


@pytest.mark.parametrize("first", [NO_NAME, NOT_THERE])
def test_a_ticket_is_asked_for_at_the_older_name_too(first: Response | RingError) -> None:
    assert _ticket_hosts(first, GIVEN) == ([NEW, OLD], Secret("t"))


@pytest.mark.parametrize(
    "first",
    [
        fault_error("NET-TIMEOUT"),
        fault_error("NET-UNREACHABLE"),
        fault_error("NET-TLS"),
        _answer(401),
        _answer(403),
        _answer(406, PAGE_406),
        _answer(429),
        _answer(500),
        _answer(200, b"x"),
        _answer(404, {"error": f"no session for {HARDWARE}"}),
    ],
)
def test_any_other_answer_about_a_ticket_stands(first: Response | RingError) -> None:
    hosts, error = _ticket_hosts(first)
    assert hosts == [NEW]
    assert isinstance(error, RingError)


@pytest.mark.parametrize("second", [fault_error("NET-DNS", OLD), NOT_THERE])
def test_where_both_names_fail_the_newer_one_is_told_of(second: Response | RingError) -> None:
    assert _ticket_hosts(NO_NAME, second) == ([NEW, OLD], NO_NAME)
    hosts, error = _ticket_hosts(NO_NAME, _answer(403))
    assert isinstance(error, RingError)
    assert (hosts, error.code) == ([NEW, OLD], "TICKET-REFUSED")


@pytest.mark.parametrize("status", [404, 410, 200])
def test_the_flat_list_stands_in_where_the_older_one_is_gone(status: int) -> None:
    flat = {"devices": [{"id": 1001, "description": "Front Door", "kind": "lpd_v2"}]}
    asked, found = _talk(flows.device_list(ACCESS, HARDWARE), _answer(status, PAGE_406), _answer(200, flat))
    assert [request.url for request in asked] == [
        "https://api.ring.com/clients_api/ring_devices",
        "https://api.ring.com/device_info/v3/devices",
    ]
    assert [camera.name for camera in found.cameras] == ["Front Door"]


@pytest.mark.parametrize(("second", "code"), [(404, "ACCOUNT-ANSWER"), (401, "AUTH-TOKEN"), (503, "RING-DOWN")])
def test_where_both_lists_fail_the_better_reason_is_told(second: int, code: str) -> None:
    flow = flows.device_list(ACCESS, HARDWARE)
    with pytest.raises(RingError) as caught:
        _talk(flow, _answer(418), _answer(second))
    assert caught.value.code == code


def test_rings_own_words_are_shortened_flattened_and_without_our_secrets() -> None:
    said = "token access-1 \x1b[31mis\nbad " + "x" * 500
    error = _fails(FLOWS["device_list"](), _answer(418, {"error": said}))
    assert str(error.detail).startswith("HTTP 418: token *** [31mis bad xxx")
    assert len(str(error.detail)) < 150


@pytest.mark.parametrize("name", ["sign_in", "refresh"])
def test_an_answer_that_echoes_the_request_does_not_leak_it(name: str) -> None:
    error = _fails(FLOWS[name](), _answer(400, {"error": "got pass-1 123456 refresh-1"}))
    assert error.detail == (
        "HTTP 400: got *** *** refresh-1" if name == "sign_in" else "HTTP 400: got pass-1 123456 ***"
    )


def test_what_looks_like_a_secret_is_not_repeated() -> None:
    """An answer may name a token that this request did not carry."""
    said = "session of 7c0d1e2f-aaaa-bbbb expired (eyJhbGciOi.J9); see RING_API_CALL_REQUEST_FAILURE code 7019"
    error = _fails(FLOWS["ticket"](), _answer(500, {"error": said}))
    assert error.detail == "HTTP 500: session of *** expired *** see RING_API_CALL_REQUEST_FAILURE code 7019"


def test_another_flow_may_use_the_same_judgement() -> None:
    """A request about one camera: there a 404 does mean that the camera is gone."""
    request = Request("GET", "https://api.ring.com/clients_api/doorbots/1/health", at="clients_api")
    assert isinstance(_fails(flows.ask(request), _answer(404)), CameraError)
    assert isinstance(_fails(flows.ask(request), _answer(500)), NetworkError)
    assert _talk(flows.ask(request), _answer(204))[1].status == 204
