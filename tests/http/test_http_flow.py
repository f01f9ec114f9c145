"""Requests and answers as data, and flows run by any way of sending."""

import asyncio

import pytest

from ringlight.errors import NetworkError, RingError, fault_error
from ringlight.http.flow import Flow, Headers, NotJson, Request, Response, drive, unreadable
from ringlight.http.scripted import ScriptedDriver
from ringlight.secrets import Secret

CANARY = "canary-7f3a"


def test_header_names_have_no_case() -> None:
    headers = Headers({"Retry-After": "5"})
    assert headers["RETRY-after"] == "5"
    assert "retry-AFTER" in headers
    assert dict(headers) == {"retry-after": "5"}
    assert len(headers) == 1


def test_an_answer_takes_any_mapping_of_headers() -> None:
    assert Response(200, {"X-Some": "1"}).headers.get("x-some") == "1"


def test_json_of_an_answer() -> None:
    assert Response(200, body=b'{"a": [1, null]}').json() == {"a": [1, None]}


@pytest.mark.parametrize("body", [b"", b"<html>canary-7f3a</html>", b"\xff\xfe", b"[" * 100_000, b'"\xc3"'])
def test_what_is_no_json_says_so_and_repeats_nothing(body: bytes) -> None:
    with pytest.raises(NotJson) as caught:
        Response(200, body=body).json()
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_repr_shows_neither_bodies_nor_tokens() -> None:
    request = Request(
        "POST",
        "https://oauth.ring.com/oauth/token",
        headers={"2fa-code": Secret(CANARY)},
        json={"password": CANARY},
        form={"password": CANARY},
        bearer=Secret(CANARY),
    )
    response = Response(200, {"Set-Cookie": CANARY}, CANARY.encode())
    assert CANARY not in repr(request) + str(request) + repr(response)


def test_every_secret_of_a_request_is_found() -> None:
    request = Request(
        "POST",
        "https://h/",
        headers={"a": Secret("1"), "b": "plain"},
        json={"x": [Secret("2"), {"y": Secret("3")}]},
        form={"z": Secret("4")},
        bearer=Secret("5"),
    )
    assert {secret.reveal() for secret in request.secrets()} == {"1", "2", "3", "4", "5"}


def _two_steps() -> Flow[int]:
    first = yield Request("GET", "https://h/1")
    second = yield Request("GET", "https://h/2")
    return first.status + second.status


def test_a_flow_gets_its_answers_in_order_and_returns_its_result() -> None:
    driver = ScriptedDriver(lambda request: Response(int(request.url[-1])))
    assert asyncio.run(driver.run(_two_steps())) == 3
    assert [request.url for request in driver.requests] == ["https://h/1", "https://h/2"]


def test_an_error_of_sending_ends_the_flow_and_closes_it() -> None:
    closed = []

    def flow() -> Flow[None]:
        try:
            yield Request("GET", "https://h/")
        finally:
            closed.append(True)

    async def send(request: Request) -> Response:
        raise fault_error("NET-DNS", request.url)

    with pytest.raises(NetworkError):
        asyncio.run(drive(flow(), send))
    assert closed == [True]


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("token", "AUTH-ANSWER"),
        ("ticket", "TICKET-ANSWER"),
        ("session", "ACCOUNT-ANSWER"),
        ("clients_api", "ACCOUNT-ANSWER"),
    ],
)
def test_an_unreadable_answer_is_a_fault_of_its_step(at: str, code: str) -> None:
    assert unreadable(at, "HTTP 200").code == code


@pytest.mark.anyio
async def test_a_flow_may_ask_elsewhere_when_a_host_is_gone() -> None:
    codes: list[str] = []

    def flow() -> Flow[str]:
        try:
            yield Request("GET", "https://gone/")
        except NetworkError as error:
            codes.append(error.code)
        return (yield Request("GET", "https://here/")).text

    def answer(request: Request) -> Response:
        if "gone" in request.url:
            raise fault_error("NET-DNS", "gone")
        return Response(200, body=b"here")

    driver = ScriptedDriver(answer)
    assert await driver.run(flow()) == "here"
    assert codes == ["NET-DNS"]


@pytest.mark.anyio
async def test_what_a_flow_raises_instead_does_not_carry_the_first_error_along() -> None:
    def flow() -> Flow[str]:
        failed = False
        try:
            yield Request("GET", "https://gone/")
        except NetworkError:
            failed = True
        raise fault_error("TICKET-ANSWER", f"{failed}")

    def answer(_: Request) -> Response:
        raise fault_error("NET-DNS", "gone")

    with pytest.raises(RingError) as caught:
        await ScriptedDriver(answer).run(flow())
    assert (caught.value.code, caught.value.detail, caught.value.__context__) == ("TICKET-ANSWER", "True", None)
