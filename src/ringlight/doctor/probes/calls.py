"""The Partner API: what is kept of the app, one call for its devices, one for a picture, and a webhook receiver."""

import asyncio
import json
import socket
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from ringlight.doctor.evidence import Called, Delivered, Kept
from ringlight.doctor.probes.owners import speaking_with
from ringlight.errors import RingError, fault_error
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request, Response
from ringlight.http.reach import Way
from ringlight.http.target import Target
from ringlight.partner.async_client import AsyncClient
from ringlight.partner.download import NOT_READY_FOR
from ringlight.partner.parts import UNSET, plain
from ringlight.partner.setup import Stored, store_address
from ringlight.partner.webhooks.signature import HEADER, signature_of
from ringlight.secrets import Secret
from ringlight.settings import Settings
from ringlight.store.opening import open_pairs
from ringlight.store.pairs import TokenPair
from ringlight.store.sealing import seal_of

CALL_WAIT = 6.0  # seconds
PICTURE_WAIT = 6.0  # seconds, in which an answer with a picture has come to its end
HOOK_LISTENS = 7.0  # seconds; an answer after five is late, and that it comes at all tells more than that


class _Keeping(AsyncDriver):
    """A driver that remembers what the last answer said of the limit, and how many requests there were."""

    count = 0
    limit: int | None = None
    remaining: int | None = None

    async def exchange(self, request: Request, target: Target, way: Way) -> Response:
        """Send one request."""
        answer = await super().exchange(request, target, way)
        self.count += 1
        self.limit = _number(answer, "x-ratelimit-limit")
        self.remaining = _number(answer, "x-ratelimit-remaining")
        return answer


def _number(answer: Response, name: str) -> int | None:
    with suppress(ValueError):
        return int(answer.headers.get(name, ""))
    return None


def kept(settings: Settings, now: float) -> Kept:
    """Look for linked accounts: in the store of tokens, then in the database where our own server links. Blocks."""
    access = settings.partner.access_token
    found: list[tuple[str | Path, str]] = []
    pairs: list[TokenPair] = []
    try:
        for address in _stores(settings):
            with closing(open_pairs(address, state_dir=settings.state_dir, seal=seal_of(settings))) as store:
                accounts = store.accounts()
                found += [(address, account) for account in accounts]
                pairs += [pair for pair in map(store.read, accounts) if pair is not None]
    except RingError as error:
        return Kept(error=error)
    if access is not None:
        return Kept(len(found), is_refresh=any(pair.refresh == access for pair in pairs))
    chosen = next((number for number, (_, name) in enumerate(found) if name == settings.partner.account), 0)
    if not found or len(pairs) <= chosen:
        return Kept()
    one = pairs[chosen]
    return Kept(len(found), one.expires_at - now, now - one.obtained_at, where=found[chosen])


def _stores(settings: Settings) -> list[str | Path]:
    address, database = store_address(settings), settings.database.reveal()
    return [address, *([database] if has_database(settings) and database != address else [])]


def has_database(settings: Settings) -> bool:
    """Whether there is a database already: to look makes none. Blocks."""
    address = settings.database.reveal()
    return not address.startswith("sqlite") or Path(address.removeprefix("sqlite:///")).exists()


def _client(settings: Settings, where: tuple[str | Path, str] | None, driver: AsyncDriver | None = None) -> AsyncClient:
    tokens = None if where is None else Stored(*where)
    return AsyncClient(settings=settings, tokens=tokens, driver=driver)


async def call(settings: Settings, where: tuple[str | Path, str] | None) -> Called:
    """List the devices: one call, for which the token is renewed if need be, and no repetition."""
    base = settings.ring_url
    async with _Keeping(timeout=CALL_WAIT, base_url=base) as driver:
        error: RingError | None = None
        devices: tuple[tuple[str, bool | None], ...] = ()
        try:
            async with _client(settings, where, driver) as ring:
                once = ring.with_options(timeout=CALL_WAIT, retries=0, fallback="never")
                found = await once.devices.list(include=["status"])
            devices = tuple((plain(one.name) or "a device", _online(one.status)) for one in found)
        except RingError as caught:
            error = caught
        parts = urlsplit(base or "https://api.amazonvision.com")
        others = await asyncio.to_thread(_others, parts.hostname or "", parts.port or 443)
        alone = settings.partner.access_token is not None
        return Called(error, alone, devices, driver.limit, driver.remaining, driver.count, others)


def _online(status: object) -> bool | None:
    online = getattr(status, "online", UNSET) if status is not UNSET else UNSET
    return online if isinstance(online, bool) else None


def _others(host: str, port: int) -> tuple[str, ...]:
    try:
        addresses = {str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        return ()
    return speaking_with(tuple(addresses), port)


async def picture(settings: Settings, where: tuple[str | Path, str] | None) -> str:
    """Fetch a picture of the last event that any device has, into nothing. No camera records for it.

    Raises:
        RingError: Why there is none.
    """
    async with _client(settings, where) as client:
        ring = client.with_options(timeout=CALL_WAIT, retries=0, fallback="never")
        for device in await ring.devices.list():
            async for event in ring.history.events(device.id):
                at = event.started_at
                if at is None:
                    continue
                return f"a picture of {await _size(ring, device.id, at)} bytes"
    return "no event yet, so no picture"


async def _size(ring: AsyncClient, device_id: str, at: datetime) -> int:
    try:
        with tempfile.TemporaryDirectory(prefix="ringlight-doctor-") as folder:
            async with asyncio.timeout(PICTURE_WAIT):
                return (await ring.media.still(device_id, at, to=Path(folder) / "still.jpg")).size
    except TimeoutError:
        fresh = time.time() - at.timestamp() < NOT_READY_FOR
        code = "PARTNER-NOT-READY" if fresh else "NET-TIMEOUT"
        raise fault_error(code, f"no whole picture within {PICTURE_WAIT:g} s") from None


async def deliver(url: str, key: Secret | None, account: str, now: Callable[[], float] = time.time) -> Delivered:
    """Send a delivery to a webhook receiver: signed as Ring would, of a type that nobody knows and all must live with.

    Args:
        url: Of the receiver.
        key: The app's; `None` sends it unsigned, which a receiver must refuse.
        account: Ring's id of the account that it is said to be about.
        now: The time in seconds since 1970.

    Raises:
        NetworkError: The address cannot be reached.
    """
    at = datetime.fromtimestamp(now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    meta = {"version": "1.1", "time": at, "request_id": str(uuid.uuid4()), "account_id": account}
    data = {"id": "ringlight-doctor", "type": "ringlight_doctor", "attributes": {}}
    body = json.dumps({"meta": meta, "data": data}).encode()
    fields = {"Content-Type": "application/json"}
    if key is not None:
        fields[HEADER] = signature_of(body, key)
    request = Request("POST", url, fields, content=body, at="partner", timeout=HOOK_LISTENS)
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with AsyncDriver(near=url, timeout=HOOK_LISTENS) as driver:
            began = loop.time()  # what it takes us to begin is not the receiver's
            answer = await driver.send(request)
    except RingError as error:
        if error.code == "NET-TIMEOUT":
            return Delivered(url, key is not None, None, loop.time() - began)
        raise
    return Delivered(url, key is not None, answer.status, loop.time() - began)


def dormant_links(settings: Settings) -> int | None:
    """Count links that wait for their PATCH; `None` where no database has been made. Blocks."""
    if not has_database(settings):
        return None
    from ringlight.store.database import database_of  # noqa: PLC0415 - who has no links pays for none
    from ringlight.store.link_rows import LinkRows  # noqa: PLC0415
    from ringlight.store.links import LinkState  # noqa: PLC0415

    with closing(database_of(settings)) as database:
        return len(LinkRows(database).links(LinkState.AWAITING))
