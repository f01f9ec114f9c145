"""The requests of a WHIP client, against a server that is a function."""

from collections.abc import Callable

import pytest

from ringlight.errors import RingError
from ringlight.http.flow import Request, Response
from ringlight.http.scripted import ScriptedDriver
from ringlight.publishing import whip
from ringlight.publishing.whip import Place, Session
from ringlight.secrets import Secret

pytestmark = pytest.mark.anyio
TOKEN = Secret("T")
PLACE = Place(Secret("https://sfu.example/live/whip?key=K"), TOKEN)
CREATED = {"Content-Type": "application/sdp; charset=utf-8", "Location": "/live/7"}


def _server(**fields: str) -> ScriptedDriver:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return ScriptedDriver(lambda _: Response(201, {**CREATED, **named}, b"v=0"))


def _always(answer: Response) -> Callable[[Request], Response]:
    return lambda _: answer


async def _failure(answer: Callable[[Request], Response], place: Place = PLACE) -> RingError:
    with pytest.raises(RingError) as caught:
        await ScriptedDriver(answer).run(whip.publish(place, "OFFER"))
    return caught.value


async def test_the_offer_goes_out_with_the_token_and_the_session_is_read() -> None:
    server = _server(ETag='"e1"', Link='<stun:stun.example>; rel="ice-server"')
    session = await server.run(whip.publish(PLACE, "OFFER"))
    assert session.place.url.reveal() == "https://sfu.example/live/7"
    assert (session.answer, session.etag) == ("v=0", '"e1"')
    assert [known.host for known in session.servers] == ["stun.example"]
    (asked,) = server.requests
    assert (asked.method, asked.content, asked.bearer) == ("POST", b"OFFER", TOKEN)
    assert asked.headers["Content-Type"] == "application/sdp"
    assert asked.hidden


@pytest.mark.parametrize(
    ("location", "url", "token"),
    [
        ("/a/b", "https://sfu.example/a/b", TOKEN),
        ("b", "https://sfu.example/live/b", TOKEN),
        ("?s=1", "https://sfu.example/live/whip?s=1", TOKEN),
        ("https://sfu.example:443/x", "https://sfu.example:443/x", TOKEN),
        ("//edge.example/x", "https://edge.example/x", None),
        ("https://sfu.example:444/x", "https://sfu.example:444/x", None),
    ],
)
async def test_the_session_may_be_named_in_any_way_and_the_token_stays_at_its_origin(
    location: str, url: str, token: Secret | None
) -> None:
    session = await _server(Location=location).run(whip.publish(PLACE, "OFFER"))
    assert (session.place.url.reveal(), session.place.token) == (url, token)


@pytest.mark.parametrize(
    "location",
    [
        "http://sfu.example/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[fe80::1%25eth0]/x",
        "https://169.254.169.254/latest",
        "https://10.0.0.1/x",
        "https://localhost/x",
        "https://localhost./x",
        "https://127.1/x",
        "https://0x7f.0.0.1/x",
        "https://0177.0.0.01/x",
        "https://10.0.0.1./x",
        "https://printer.local/x",
        "https://user:word@sfu.example/x",
        "ftp://sfu.example/x",
        "file:///etc/passwd",
        "https://[::1",
        "https://sfu.example:99999/x",
    ],
)
@pytest.mark.parametrize("status", [201, 307])
async def test_a_server_outside_leads_us_to_nothing_inside_and_out_of_no_tls(location: str, status: int) -> None:
    error = await _failure(lambda _: Response(status, {**CREATED, "Location": location}))
    assert error.code == "PUBLISH-REFUSED"
    assert location not in str(error)


async def test_a_server_of_ones_own_network_may_lead_on_within_it() -> None:
    place = Place(Secret("http://192.168.1.5:8889/door/whip"), TOKEN)
    session = await _server(Location="http://192.168.1.6/s").run(whip.publish(place, "OFFER"))
    assert (session.place.host, session.place.token) == ("192.168.1.6", None)


async def test_redirects_are_followed_with_the_same_request() -> None:
    def answer(request: Request) -> Response:
        if request.url.endswith("/next"):
            return Response(201, CREATED, b"v=0")
        return Response(307, {"Location": "/next"})

    server = ScriptedDriver(answer)
    await server.run(whip.publish(PLACE, "OFFER"))
    assert [(one.method, one.content) for one in server.requests] == [("POST", b"OFFER")] * 2


async def test_a_server_that_leads_in_a_circle_is_left() -> None:
    error = await _failure(lambda _: Response(308, {"Location": "/whip"}))
    assert (error.code, error.detail) == ("PUBLISH-REFUSED", "sfu.example: led on more than 5 times")


@pytest.mark.parametrize(
    ("answer", "code", "wait"),
    [
        (Response(401), "PUBLISH-TOKEN", None),
        (Response(403), "PUBLISH-TOKEN", None),
        (Response(404), "PUBLISH-GONE", None),
        (Response(410), "PUBLISH-GONE", None),
        (Response(409), "PUBLISH-BUSY", None),
        (Response(429, {"Retry-After": "7"}), "PUBLISH-BUSY", 7.0),
        (Response(500), "PUBLISH-BUSY", None),
        (Response(503, {"Retry-After": "30"}), "PUBLISH-BUSY", 30.0),
        (Response(400), "PUBLISH-REFUSED", None),
        (Response(301, {"Location": "/x"}), "PUBLISH-REFUSED", None),
        (Response(307), "PUBLISH-REFUSED", None),
        (Response(200, CREATED), "PUBLISH-ANSWER", None),
        (Response(201, {"Location": "/x", "Content-Type": "text/html"}), "PUBLISH-ANSWER", None),
        (Response(201, {"Location": "/x"}), "PUBLISH-ANSWER", None),
        (Response(201, {"Content-Type": "application/sdp"}), "PUBLISH-ANSWER", None),
    ],
)
async def test_what_is_no_session_is_a_fault_that_says_what_to_do(
    answer: Response, code: str, wait: float | None
) -> None:
    error = await _failure(lambda _: answer)
    assert (error.code, error.retry_after) == (code, wait)
    assert "whip" not in (error.detail or ""), "the path may be a secret"


@pytest.mark.parametrize("status", [200, 204, 401, 404, 405, 500, 501])
async def test_a_server_that_answers_a_knock_is_there(status: int) -> None:
    """Many take no OPTIONS; whether they take the camera is seen when it is offered."""
    server = ScriptedDriver(lambda _: Response(status))
    await server.run(whip.knock(PLACE))
    assert [(one.method, one.bearer) for one in server.requests] == [("OPTIONS", TOKEN)]


async def test_a_server_that_is_down_costs_no_view() -> None:
    with pytest.raises(RingError) as caught:
        await ScriptedDriver(lambda _: Response(503, {"Retry-After": "9"})).run(whip.knock(PLACE))
    assert (caught.value.code, caught.value.retry_after) == ("PUBLISH-BUSY", 9.0)


@pytest.mark.parametrize("etag", ["", 'W/"weak"', "bare"])
async def test_a_tag_that_is_not_strong_is_none(etag: str) -> None:
    assert (await _server(ETag=etag).run(whip.publish(PLACE, "OFFER"))).etag is None


async def test_addresses_that_come_later_name_the_version_that_they_belong_to() -> None:
    server = ScriptedDriver(lambda _: Response(204))
    await server.run(whip.trickle(Session(PLACE, "v=0", '"e1"'), "FRAGMENT"))
    (asked,) = server.requests
    assert (asked.method, asked.headers["If-Match"], asked.content) == ("PATCH", '"e1"', b"FRAGMENT")
    assert asked.headers["Content-Type"] == "application/trickle-ice-sdpfrag"


async def test_leave_is_taken_whatever_is_answered() -> None:
    for answer in (Response(200), Response(404), Response(500), Response(307, {"Location": "ftp://x"})):
        server = ScriptedDriver(_always(answer))
        await server.run(whip.end(Session(PLACE, "v=0")))
        assert [(one.method, one.content, one.timeout) for one in server.requests] == [("DELETE", None, 3.0)]


def test_neither_address_nor_token_is_shown() -> None:
    assert "K" not in repr(PLACE) + repr(Session(PLACE, "v=0 K"))
    assert PLACE.host == "sfu.example"
