"""Ring's side of linking: what happens when somebody takes the app, with a verdict on each thing that the app does."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode, urlsplit

from ringlight.errors import RingError
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request

if TYPE_CHECKING:
    from ringlight.simulator.world import World

__all__ = ["Addresses", "Style", "Verdict", "install_app", "link_address"]

EXCHANGE_WITHIN = 60.0  # seconds that a code lives
ANSWER_WITHIN = 10.0  # nobody has said how long Ring waits
QUICK = 5.0  # as for webhooks
Style = Literal["form", "json", "query"]


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the developer portal has of the app; `None` where nothing was entered.

    Attributes:
        token: Takes the code.
        link: Where the browser is sent with the nonce.
        redirect: Where the browser comes back to if the app began the link.
    """

    token: str | None = None
    link: str | None = None
    redirect: str | None = None

    @classmethod
    def below(cls, base: str) -> "Addresses":
        """Return those of an app that has mounted our router, such as at `http://127.0.0.1:9000/ring`."""
        root = base.rstrip("/")
        return cls(f"{root}/token", f"{root}/link", f"{root}/callback")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the app did, and what Ring would make of it.

    Attributes:
        at: Epoch ms.
        account: The account's key.
        step: Which part of linking.
        good: Whether that is as it should be.
        seen: What was seen.
    """

    at: int
    account: str
    step: Literal["token", "exchange", "confirm", "complete"]
    good: bool
    seen: str

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"at": self.at, "account": self.account, "step": self.step, "good": self.good, "seen": self.seen}


async def install_app(world: "World", account: str, style: Style = "form") -> dict[str, Any]:
    """Let somebody take the app: send its code, wait until it is exchanged, and say where the browser goes.

    Returns:
        `redirect`, which is `None` if the app did not exchange the code, and the `verdicts` on this link.
    """
    estate = world.partner
    estate.verdicts = [verdict for verdict in estate.verdicts if verdict.account != account]
    code = estate.install(account)
    used = estate.codes_used[code] = asyncio.Event()
    began = world.now()
    await _send(world, account, code, style)
    try:
        left = EXCHANGE_WITHIN / world.speed - (world.now() - began)
        await asyncio.wait_for(used.wait(), max(left, 0.0))
    except TimeoutError:
        estate.judge(account, "exchange", False, f"the code was not exchanged within {EXCHANGE_WITHIN:g} s")
        return {"redirect": None, "verdicts": shown(world, account)}
    finally:
        del estate.codes_used[code]
    estate.judge(account, "exchange", True, f"exchanged after {world.now() - began:.1f} s")
    estate.tell_devices(account)
    return {"redirect": link_address(world, account), "verdicts": shown(world, account)}


def link_address(world: "World", account: str) -> str | None:
    """Send the browser of an account's owner: the Account Link URL with a new nonce."""
    link = world.partner.addresses.link
    if link is None:
        return None
    return f"{link}{'&' if urlsplit(link).query else '?'}{urlencode(world.partner.send_person(account))}"


def shown(world: "World", account: str | None = None) -> list[dict[str, Any]]:
    """Return the verdicts, of one account or of all."""
    return [one.as_dict() for one in world.partner.verdicts if account in (None, one.account)]


async def _send(world: "World", account: str, code: str, style: Style) -> None:
    address = world.partner.addresses.token or ""
    parts = urlsplit(address)
    whole = f"{address}{'&' if parts.query else '?'}{urlencode({'code': code})}" if style == "query" else address
    request = Request(
        "POST", whole, at="partner", form={"code": code} if style == "form" else None,
        json={"code": code} if style == "json" else None,
    )  # fmt: skip
    began = world.now()
    try:
        async with AsyncDriver(
            timeout=ANSWER_WITHIN, base_url=f"{parts.scheme}://{parts.netloc}", user_agent="Ring simulator"
        ) as driver:
            answer = await driver.send(request)
    except RingError as error:
        world.partner.judge(account, "token", False, f"no answer: {error.code} {error.detail or ''}".strip())
        return
    took = world.now() - began
    good = answer.status == 200 and took <= QUICK
    late = "" if took <= QUICK else f", and {QUICK:g} s is what Ring gives webhooks"
    world.partner.judge(account, "token", good, f"answered {answer.status} after {took:.1f} s{late}")
