"""Signing in through Ring's pages: a browser that checks where it is led, told by hand what each page says."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import pytest

from ringlight.account.flows import Grant
from ringlight.account.sign_in_pages import PageSignIn
from ringlight.errors import AuthError, RateLimited, RingError
from ringlight.http.flow import Flow, Request, Response
from ringlight.secrets import Secret

T = TypeVar("T")

VERIFIER, STATE = "v" * 43, "state-1"
BACK = "https://ring.com/signin/callback?code=code-1&state=state-1"


def _page(csrf: str = "csrf-1", *cookies: str) -> Response:
    script = json.dumps({"brand": "ring", "form": {"csrf-token": csrf}})
    return Response(200, {}, f'<script type="x" id="oauth-args">{script}</script>'.encode(), cookies)


def _to(location: str, *cookies: str) -> Response:
    return Response(302, {"Location": location}, b"", cookies)


def _said(status: int, body: object = None, *cookies: str) -> Response:
    return Response(status, {}, b"" if body is None else json.dumps(body).encode(), cookies)


FIRST = (_to("/oauth/v2/signin", "sid=1; Path=/oauth; Secure", "lang=en"), _page())
NEEDED = _said(412, {"tsv_state": "sms", "phone": "+1xxxxxxxx12"}, "sid=2; Path=/")
VERIFIED = _said(201, {"redirect_url": "/oauth/v2/authorize"}, "lang=; Max-Age=0")
TOKENS = _said(200, {"access_token": "a", "refresh_token": "r", "expires_in": 3600})


def _sign_in() -> PageSignIn:
    return PageSignIn("ada@ringlight.test", "hw-1", Secret(VERIFIER), Secret(STATE))


def _talk(flow: Flow[T], *answers: Response) -> tuple[list[Request], T | RingError]:
    """Run a flow against these answers, all of which it must want."""
    asked, left = [next(flow)], list(answers)
    try:
        while True:
            asked.append(flow.send(left.pop(0)))
    except StopIteration as end:
        assert not left
        return asked, end.value
    except RingError as error:
        assert not left
        return asked, error


def _fails(flow: Flow[object], *answers: Response) -> RingError:
    error = _talk(flow, *answers)[1]
    assert isinstance(error, RingError), error
    return error


def _fields(request: Request) -> Mapping[str, str]:
    assert request.form is not None
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in request.form.items()}


def _cookies(request: Request) -> str | None:
    value = request.headers.get("Cookie")
    return value.reveal() if isinstance(value, Secret) else value


def test_the_whole_way_with_a_code() -> None:
    """Page, password, code, redirect, tokens: the cookies go along, and the csrf token is sent back."""
    sign_in = _sign_in()
    asked, needed = _talk(sign_in.begin(Secret("pass-1")), *FIRST, NEEDED)
    assert isinstance(needed, AuthError)
    assert (needed.code, needed.detail) == ("AUTH-CODE-NEEDED", "HTTP 412: sms to +xxxxxxxxx12")
    more, grant = _talk(sign_in.verify(" 123 456 "), VERIFIED, _to(BACK), TOKENS)
    assert grant == Grant(Secret("a"), Secret("r"), 3600.0)
    asked += more
    assert [(request.method, request.url.partition("?")[0]) for request in asked] == [
        ("GET", "https://oauth.ring.com/oauth/v2/authorize"),
        ("GET", "https://oauth.ring.com/oauth/v2/signin"),
        ("POST", "https://oauth.ring.com/oauth/v2/signin"),
        ("POST", "https://oauth.ring.com/oauth/v2/2fa/verify"),
        ("GET", "https://oauth.ring.com/oauth/v2/authorize"),
        ("POST", "https://oauth.ring.com/oauth/token"),
    ]
    assert [_cookies(request) for request in asked] == [
        None, "sid=1; lang=en", "sid=1; lang=en", "sid=2; lang=en", "sid=2", "sid=2",
    ]  # fmt: skip
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked[0].url).query).items()}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    expected = {
        "response_type": "code", "client_id": "ring_official_android", "scope": "client", "state": STATE,
        "code_challenge": challenge, "code_challenge_method": "S256", "hardware_id": "hw-1",
        "redirect_uri": "https://ring.com/signin/callback",
    }  # fmt: skip
    assert expected.items() <= query.items()
    assert _fields(asked[2]) == {"username": "ada@ringlight.test", "password": "pass-1", "csrf-token": "csrf-1"}
    assert _fields(asked[3]) == {"2fa_code": "123456", "csrf-token": "csrf-1", "remember_me": "false"}
    assert _fields(asked[5]) == {
        "grant_type": "authorization_code", "client_id": "ring_official_android", "code": "code-1",
        "code_verifier": VERIFIER, "redirect_uri": "https://ring.com/signin/callback",
    }  # fmt: skip
    assert all(request.headers["hardware_id"] == "hw-1" for request in asked)
    assert {request.at for request in asked} == {"token"}


@pytest.mark.parametrize("accepted", [_said(204), _said(200, {}), _to("/oauth/v2/authorize")])
def test_an_account_without_a_second_step_goes_straight_on(accepted: Response) -> None:
    assert isinstance(_talk(_sign_in().begin(Secret("p")), *FIRST, accepted, _to(BACK), TOKENS)[1], Grant)


@pytest.mark.parametrize("asking", [NEEDED, _said(200, {"tsv_state": "totp"}), _to("/oauth/v2/2fa?x=1")])
def test_a_code_may_be_asked_for_in_several_ways(asking: Response) -> None:
    assert _fails(_sign_in().begin(Secret("p")), *FIRST, asking).code == "AUTH-CODE-NEEDED"


@pytest.mark.parametrize(
    "page",
    [
        _page(),
        Response(200, {}, b'<script id="__NEXT_DATA__">{"props": {"pageProps": {"csrfToken": "csrf-1"}}}</script>'),
        Response(200, {}, b"<html></html>", ("csrf-token=csrf-1; Path=/oauth/v2; Secure",)),
        Response(200, {}, b"<SCRIPT ID='oauth-args'>x</SCRIPT>" + _page().body.replace(b"csrf-token", b"csrf_token")),
    ],
)  # fmt: skip
def test_the_csrf_token_is_found_wherever_it_was_seen(page: Response) -> None:
    asked, _ = _talk(_sign_in().begin(Secret("p")), page, NEEDED)
    assert _fields(asked[-1])["csrf-token"] == "csrf-1"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (_said(401, {"error": "access_denied"}), "AUTH-PASSWORD"),
        (_said(401), "AUTH-PASSWORD"),
        (_said(403, {"error": "Invalid CSRF token"}), "AUTH-PAGES"),
        (_said(400, {"error_description": "too many requests from dependency service"}), "AUTH-CODE-LIMIT"),
        (Response(406, {}, b"<html>"), "AUTH-EDGE-BLOCK"),
        (_said(429), "AUTH-RATE"),
        (_said(503), "AUTH-UNAVAILABLE"),
        (_said(418), "AUTH-ANSWER"),
    ],
)
def test_what_a_refused_password_means(answer: Response, code: str) -> None:
    assert _fails(_sign_in().begin(Secret("p")), *FIRST, answer).code == code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (_said(400, {"error": "Verification Code is invalid or expired"}), "AUTH-CODE-WRONG"),
        (_said(401), "AUTH-CODE-WRONG"),
        (_said(400, {"error_description": "too many requests from dependency service"}), "AUTH-CODE-LIMIT"),
        (_said(403), "AUTH-PAGES"),
        (Response(406, {}, b"<html>"), "AUTH-EDGE-BLOCK"),
        (_said(500), "AUTH-UNAVAILABLE"),
    ],
)
def test_what_a_refused_code_means(answer: Response, code: str) -> None:
    sign_in = _sign_in()
    _talk(sign_in.begin(Secret("p")), *FIRST, NEEDED)
    assert _fails(sign_in.verify("123456"), answer).code == code


def test_another_code_can_be_tried_in_the_same_visit() -> None:
    sign_in = _sign_in()
    _talk(sign_in.begin(Secret("p")), *FIRST, NEEDED)
    wrong = _said(400, {"error": "Verification Code is invalid or expired"})
    assert _fails(sign_in.verify("000000"), wrong).code == "AUTH-CODE-WRONG"
    assert isinstance(_talk(sign_in.verify("123456"), VERIFIED, _to(BACK), TOKENS)[1], Grant)


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ((Response(200, {}, b"<html></html>"),), "no csrf token"),
        ((_page("two words"),), "no csrf token"),
        ((_said(404),), "HTTP 404"),
        ((_to(BACK),), "without asking for a password"),
        ((_to("https://evil.example/oauth/v2/signin"),), "away from Ring"),
        ((_to("http://oauth.ring.com/oauth/v2/signin"),), "away from Ring"),
        ((_to("//oauth.ring.com@evil.example/"),), "away from Ring"),
        ((_to("/oauth/v2/authorize"),) * 5, "more than 5 redirects"),
    ],
)
def test_a_first_page_that_is_not_ours_ends_it_before_the_password(answers: tuple[Response, ...], problem: str) -> None:
    asked, error = _talk(_sign_in().begin(Secret("pass-1")), *answers)
    assert isinstance(error, AuthError)
    assert error.code == "AUTH-PAGES"
    assert problem in str(error.detail)
    assert all(request.form is None for request in asked)


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ((_page(),), "no redirect with a code"),
        ((_to("https://ring.com/signin/callback?code=code-1&state=other"),), "another state"),
        ((_to("https://ring.com/signin/callback?code=code-1"),), "another state"),
        ((_to("https://ring.com/signin/callback?state=state-1&error=access_denied"),), "has no code"),
        ((_to("https://ring.com.evil.example/signin/callback?code=c&state=state-1"),), "away from Ring"),
        ((_to(BACK), _said(400, {"error": "invalid_grant"})), "refuses the code"),
    ],
)
def test_an_end_that_is_not_ours_gives_no_tokens(answers: tuple[Response, ...], problem: str) -> None:
    error = _fails(_sign_in().begin(Secret("p")), *FIRST, _said(204), *answers)
    assert error.code == "AUTH-PAGES"
    assert problem in str(error.detail)


def test_a_block_at_the_edge_is_one_on_every_page() -> None:
    for step in range(3):
        answers = (*FIRST, NEEDED)[:step]
        assert isinstance(_fails(_sign_in().begin(Secret("p")), *answers, Response(406, {}, b"<html>")), RateLimited)


def test_no_secret_shows() -> None:
    sign_in = _sign_in()
    asked, _ = _talk(sign_in.begin(Secret("pass-1")), *FIRST, NEEDED)
    shown = repr(sign_in) + "".join(map(repr, asked))
    for secret in (VERIFIER, "pass-1", "csrf-1", "sid=1"):
        assert secret not in shown
