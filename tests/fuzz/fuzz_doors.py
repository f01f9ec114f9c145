"""Readers of what comes to the doors of the server, forms and fields of proxies, and of what we ask other servers."""

import warnings
from collections.abc import AsyncIterator, Coroutine
from ipaddress import ip_address
from typing import Any, cast

from cryptography.utils import CryptographyDeprecationWarning
from fuzz_target import Target, answer_of, codes

from ringlight.cli import watch
from ringlight.doctor import judging
from ringlight.doctor.probes import net
from ringlight.faults import FAULTS
from ringlight.http.flow import Response
from ringlight.http.proxies import Proxies, ProxyHeader
from ringlight.partner import link_check, linking_routes
from ringlight.server import login_pages

PEER = "10.0.0.7"
_HEADERS: tuple[ProxyHeader, ...] = ("x-forwarded-for", "forwarded")


class _Coming:
    """A request whose body comes in two pieces."""

    def __init__(self, body: bytes, query: dict[str, str] | None = None) -> None:
        self._body, self.query_params = body, query or {}

    async def stream(self) -> AsyncIterator[bytes]:
        yield self._body[:7]
        yield self._body[7:]


def _done(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    finally:
        work.close()
    raise AssertionError("it waits")


def read_log_in(data: bytes) -> None:
    """The form of the login page: the key that somebody typed."""
    assert isinstance(_done(login_pages._key_in(cast(Any, _Coming(data)))), str)


def read_code(data: bytes) -> None:
    """The code of a new link, in a form, as JSON or in the query, as Ring sends it."""
    body, _, query = data.partition(b"\n\n")
    coming = _Coming(body, {"code": query.decode("utf-8", "replace")})
    code = _done(linking_routes._code_of(cast(Any, coming))).reveal()
    assert 1 <= len(code) <= 4096
    assert code.isascii()


def read_proxy_fields(data: bytes) -> None:
    """Who makes a request, by what proxies write: an address, and never one that a stranger may choose."""
    text = data.decode("latin-1")
    for header in _HEADERS:
        fields = {header: text, "x-forwarded-proto": text[:20]}
        ours = Proxies(["10.0.0.0/8", "::1"], header)
        found = ours.caller(PEER, fields.get)
        ip_address(found.address.partition("%")[0])
        assert found.scheme in (None, "http", "https")
        assert Proxies([], header).caller(PEER, fields.get).address == PEER
        assert ours.caller("192.0.2.1", fields.get).address == "192.0.2.1"


def read_doctors_answer(data: bytes) -> None:
    """What any server answers to the doctor."""
    answer = answer_of(data)
    code = net._code_in(answer)
    assert not code or code in FAULTS
    net.read_date(data.decode("latin-1"))
    assert net._named_in(answer.body) in ("", *FAULTS)
    seen = net.read_answer(answer)
    assert len(judging.judge_answer("host", seen, ours=True, ring=False).text) < 400


def read_certificate(data: bytes) -> None:
    """What a server shows that the doctor does not trust, to say why."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)  # of numbers that are not as they should be
        found = net._read_certificate("issuer", data, "why")
    assert found.outcome == "issuer"
    assert all(isinstance(name, str) for name in found.names)


def read_own_answer(data: bytes) -> None:
    """What answers a command at the address of our own server, be it who it may."""
    found = watch.read_answer(answer_of(data), "http://127.0.0.1:8000")
    assert isinstance(found, dict)


def read_link_check(data: bytes) -> None:
    """Pages of an app, each behind a line of dashes, that the check of its links walks through."""
    pages = [answer_of(page) for page in data.split(b"\n-----\n")[:12]]
    for ring in (None, "http://127.0.0.1:1"):
        assert 0 < _done(_walked(pages, ring)) <= 6


async def _walked(pages: list[Response], ring: str | None) -> int:
    asked = 0

    async def ask(*_: object, **__: object) -> object:
        nonlocal asked
        asked += 1
        return pages[min(asked, len(pages)) - 1]

    before, link_check._ask = link_check._ask, cast(Any, ask)
    try:
        walk = link_check.check_links("https://app.example", ring=ring, name="ada", password="secret")
        return len([finding async for finding in walk])
    finally:
        link_check._ask = before
        assert asked < 60


TARGETS = (
    Target("login-form", read_log_in, codes("REQUEST-INVALID")),
    Target("link-code", read_code, codes("REQUEST-INVALID")),
    Target("proxy-fields", read_proxy_fields),
    Target("doctor-answer", read_doctors_answer),
    Target("certificate", read_certificate),
    Target("own-answer", read_own_answer, frozenset({"REACH-OTHER", *FAULTS})),
    Target("link-check", read_link_check),
)
