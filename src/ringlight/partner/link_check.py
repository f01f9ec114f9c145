"""`ringlight partner link-check`: walks through linking as Ring and a browser do, and says which step is wrong."""

import html
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import msgspec

from ringlight.errors import RingError, fault_error
from ringlight.http.address import is_loopback
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request, Response

__all__ = ["LinkFinding", "check_links"]

T = TypeVar("T")
ANSWER_WITHIN = 10.0  # seconds; nobody has said how long Ring waits
FORGED = "f" * 43
AGENT = "ringlight link-check"


@dataclass(frozen=True, slots=True)
class LinkFinding:
    """What one step showed.

    Attributes:
        step: Its name.
        seen: What was seen.
        code: The fault; `None` where all is well.
        skipped: Whether it could not be tried.
    """

    step: str
    seen: str
    code: str | None = None
    skipped: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {"step": self.step, "seen": self.seen, "code": self.code, "skipped": self.skipped}


async def check_links(
    app: str, *, ring: str | None = None, name: str | None = None, password: str | None = None
) -> AsyncIterator[LinkFinding]:
    """Try each step, and yield what it showed; after a step without which nothing follows there is no other.

    Args:
        app: Where the app has its addresses, such as `https://shop.example/ring`.
        ring: The simulator that plays Ring; `None` has no real codes and nonces, so that less is tried.
        name: With which somebody can sign in on a page with a form; `None` claims nothing.
        password: That goes with it.
    """
    walk = _Walk(app.rstrip("/"), ring, name, password)
    for step in (walk.address, walk.token, walk.page, walk.nonces, walk.claim, walk.home):
        finding = await step()
        yield finding
        if finding.code in {"LINK-CHECK-ADDRESS", "LINK-CHECK-TOKEN"}:
            return


class _Verdict(msgspec.Struct):
    seen: str
    good: bool


class _Pressed(msgspec.Struct):
    """What came of pressing the simulator's button."""

    verdicts: list[_Verdict]
    redirect: str | None = None


class _Link(msgspec.Struct):
    status: str


class _Links(msgspec.Struct):
    """Which accounts are linked, as the simulator has it."""

    links: dict[str, _Link]


class _Walk:
    def __init__(self, app: str, ring: str | None, name: str | None, password: str | None) -> None:
        self._app = app
        self._ring = ring.rstrip("/") if ring else None
        self._who = {"name": name or "", "password": password or ""} if name else None
        self._link: str | None = None

    async def address(self) -> LinkFinding:
        try:
            parts = urlsplit(self._app)
        except ValueError:
            return LinkFinding("address", "it is none that can be read", "LINK-CHECK-ADDRESS")
        if parts.scheme != "https" and not is_loopback(self._app):
            return LinkFinding("address", f"{parts.scheme or 'no scheme'} in place of https", "LINK-CHECK-ADDRESS")
        answer = await _ask("GET", f"{self._app}/home")
        if isinstance(answer, RingError):
            return LinkFinding("address", f"{answer.code}: {answer.detail}", "LINK-CHECK-ADDRESS")
        return LinkFinding("address", "answers" if parts.scheme == "https" else "answers, without TLS on this machine")

    async def token(self) -> LinkFinding:
        if self._ring is None:
            return await self._token_alone()
        entered = await _ask("PUT", f"{self._ring}/_sim/partner/app", json={"base": self._app})
        pressed = await _ask("POST", f"{self._ring}/_sim/partner/install", json={}, within=75.0)
        if isinstance(entered, RingError) or isinstance(pressed, RingError) or pressed.status != 200:
            return LinkFinding("token", "the simulator does not answer", skipped=True)
        told = _read(pressed, _Pressed)
        if told is None:
            return LinkFinding("token", "what answers is no simulator", skipped=True)
        seen = "; ".join(one.seen for one in told.verdicts)
        self._link = told.redirect
        good = all(one.good for one in told.verdicts)
        return LinkFinding("token", seen, None if good else "LINK-CHECK-TOKEN")

    async def _token_alone(self) -> LinkFinding:
        began = time.monotonic()
        answer = await _ask("POST", f"{self._app}/token", form={"code": "ringlight-link-check"})
        took = time.monotonic() - began
        if isinstance(answer, RingError):
            return LinkFinding("token", f"{answer.code}: {answer.detail}", "LINK-CHECK-TOKEN")
        seen = f"answered {answer.status} to an invented code after {took:.1f} s"
        # 400 or 502: the code was tried at Ring. Others mean that no such address takes a form.
        return LinkFinding("token", seen, None if answer.status in {200, 400, 401, 502} else "LINK-CHECK-TOKEN")

    async def page(self) -> LinkFinding:
        answer = await self._open(self._link or self._address(FORGED, int(time.time() * 1000)))
        if isinstance(answer, RingError):
            return LinkFinding("page", f"{answer.code}: {answer.detail}", "LINK-CHECK-PAGE")
        asks = answer.status == 200 and "<form" in answer.text
        seen = "shows a form" if asks else f"answered {answer.status} without a form"
        return LinkFinding("page", seen, None if asks else "LINK-CHECK-PAGE")

    async def nonces(self) -> LinkFinding:
        """Try a time that has passed with a signature that is good, and one that nobody signed."""
        now = int(time.time() * 1000)
        good = parse_qs((self._link or "").partition("?")[2]).get("nonce", [FORGED])[0]
        stale = await self._open(self._address(good, now - 601_000))
        if not isinstance(stale, RingError) and stale.status < 400:
            return LinkFinding("nonce", f"answered {stale.status} to a nonce of ten minutes ago", "LINK-CHECK-NONCE")
        if self._who is None:
            return LinkFinding("nonce", "a stale one is refused; a forged one was not tried without --name")
        forged = await self._send(self._address(FORGED, now))
        if not isinstance(forged, RingError) and forged.status < 400:
            return LinkFinding("nonce", f"answered {forged.status} to a nonce that nobody signed", "LINK-CHECK-NONCE")
        return LinkFinding("nonce", "stale and forged ones are refused")

    async def claim(self) -> LinkFinding:
        if self._ring is None or self._link is None or self._who is None:
            return LinkFinding("claim", "wants the simulator, --name and --password", skipped=True)
        answer = await self._send(self._link)
        known = await _ask("GET", f"{self._ring}/_sim/partner")
        if isinstance(answer, RingError) or isinstance(known, RingError):
            return LinkFinding("claim", "no answer", "LINK-CHECK-CLAIM")
        links = _read(known, _Links)
        status = links.links["ada"].status if links is not None and "ada" in links.links else "unknown"
        seen = f"answered {answer.status}; Ring has the link as {status}"
        return LinkFinding("claim", seen, None if status == "completed" else "LINK-CHECK-CLAIM")

    async def home(self) -> LinkFinding:
        answer = await self._open(f"{self._app}/home")
        good = not isinstance(answer, RingError) and answer.status == 200
        seen = f"{answer.code}" if isinstance(answer, RingError) else f"answered {answer.status}"
        return LinkFinding("home", seen, None if good else "LINK-CHECK-HOME")

    def _address(self, nonce: str, at: int) -> str:
        return f"{self._app}/link?{urlencode({'nonce': nonce, 'time': at})}"

    async def _send(self, address: str) -> Response | RingError:
        """Fill in the form of a page as a browser does."""
        page = await self._open(address)
        if isinstance(page, RingError) or page.status != 200:
            return page
        pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
        fields = {html.unescape(key): html.unescape(value) for key, value in pairs} | (self._who or {})
        return await _ask("POST", address, form=fields)

    async def _open(self, address: str) -> Response | RingError:
        """Open a page, and follow where it leads on the way to a sign-in."""
        for _ in range(5):
            answer = await _ask("GET", address)
            if isinstance(answer, RingError) or not 300 <= answer.status < 400:
                return answer
            try:
                address = urljoin(address, answer.headers.get("location", ""))
            except ValueError:  # it leads to no address
                return answer
        return answer


async def _ask(method: str, url: str, *, within: float = ANSWER_WITHIN, **body: Any) -> Response | RingError:
    try:
        parts = urlsplit(url)
    except ValueError:
        return fault_error("REACH-URL", url[:100])
    request = Request(method, url, at="partner", timeout=within, **body)
    try:
        async with AsyncDriver(base_url=f"{parts.scheme}://{parts.netloc}", user_agent=AGENT) as driver:
            return await driver.send(request)
    except RingError as error:
        return error


def _read(answer: Response, into: type[T]) -> T | None:
    """Read what the simulator says; `None` where it is another program that answers."""
    try:
        return msgspec.json.decode(answer.body, type=into)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
