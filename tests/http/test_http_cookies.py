"""Cookies of one conversation: what an answer sets is sent with the next request, and nothing else."""

import pytest

from ringlight.http.cookies import Cookies
from ringlight.http.flow import Response
from ringlight.secrets import Secret


def _after(*lines: str) -> str:
    cookies = Cookies()
    cookies.take(Response(200, set_cookies=lines))
    return "".join(value.reveal() for value in cookies.headers().values())


@pytest.mark.parametrize(
    ("lines", "sent"),
    [
        ((), ""),
        (("a=1",), "a=1"),
        (("a=1; Path=/; Expires=Fri, 31 Dec 2027 23:59:59 GMT; HttpOnly", "b=x=y=="), "a=1; b=x=y=="),
        (("a=1", "a=2"), "a=2"),
        (("a=1", "a=; Path=/"), ""),
        (("a=1", "a=2; Max-Age=0"), ""),
        (("a=1; max-age=60",), "a=1"),
        (('a="1"',), "a=1"),
        (("a=1\r\nX: y", "b=ü", "=1", "nonsense", "a b=1", ""), ""),
        (tuple(f"c{number}=1" for number in range(100)), "; ".join(f"c{number}=1" for number in range(64))),
    ],
)
def test_what_is_sent_back(lines: tuple[str, ...], sent: str) -> None:
    assert _after(*lines) == sent


def test_a_cookie_by_its_name() -> None:
    cookies = Cookies()
    cookies.take(Response(200, set_cookies=("csrf-token=x",)))
    assert cookies.get("csrf-token") == Secret("x")
    assert cookies.get("other") is None
    assert "x" not in repr(cookies.headers())
