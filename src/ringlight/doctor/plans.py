"""Which checks a target has, and what each needs: every probe put together with its judgement."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ringlight.account import endpoints
from ringlight.cameras import Account
from ringlight.doctor import judging, judging_calls, judging_views
from ringlight.doctor.evidence import Address, Answered, Called, Viewed, read_target
from ringlight.doctor.findings import Seen, failed, good, skipped
from ringlight.doctor.probes import calls, machine, net, relay, views
from ringlight.doctor.probes.owners import listeners
from ringlight.doctor.running import Look, Once
from ringlight.errors import RingError, fault_error
from ringlight.http.address import is_loopback_host, seen_from_here
from ringlight.liveview.trace import Trace
from ringlight.secrets import Secret
from ringlight.settings import Settings

__all__ = ["Asked", "account_plan", "camera_plan", "machine_plan", "network_plan", "partner_plan", "room_plan",
           "server_plan", "url_plan"]  # fmt: skip

OWN_WAIT = 2.0  # seconds for a server on this machine


@dataclass(frozen=True, slots=True)
class Asked:
    """What else somebody said who called the doctor.

    Attributes:
        page: The address of the page that uses a server.
        origin: Its origin; empty: that of `page`.
        webhook: A webhook receiver that shall get a signed delivery.
        seconds: For how long a camera is watched at least.
        wall: The time in seconds since 1970.
    """

    page: str = ""
    origin: str = ""
    webhook: str = ""
    seconds: float = 0.0
    wall: Callable[[], float] = time.time

    @property
    def from_origin(self) -> str | None:
        """The origin of the page; `None` where nothing was said."""
        parts = urlsplit(self.page)
        return self.origin.rstrip("/") or (f"{parts.scheme}://{parts.netloc}" if parts.netloc else "") or None


def machine_plan(settings: Settings, broken: RingError | None = None) -> list[Look]:
    """Look at the settings, and at what they call for. `broken`: why they could not be read."""

    async def read() -> Seen:
        if broken is not None:
            return failed(broken)
        where = settings.ring_url or "the real one"
        return good(f"Ring is {where}; server on {settings.server.host}:{settings.server.port}")

    async def extras() -> Seen:
        return judging.judge_extras(machine.missing_packages(settings))

    async def state() -> Seen:
        return good(await machine.state_dir(settings.state_dir))

    return [Look("settings", read), Look("extras", extras), Look("state", state)]


def server_plan(settings: Settings, *, running: bool = False) -> list[Look]:
    """Look at our own server's place. `running`: it is the server itself that asks."""
    host, port = settings.server.host, settings.server.port
    own = read_target(f"http://{_host(settings)}:{port}")

    async def key() -> Seen:
        if is_loopback_host(host):
            return good(f"not needed on {host}")
        if settings.secret_key is None:
            return failed(fault_error("CFG-SECRET-KEY", f"it would listen on {host}"))
        return good("it is set")

    async def taken() -> Seen:
        if running or await asyncio.to_thread(machine.can_listen, host, port):
            return judging.judge_port(port, free=not running, is_ringlight=running, listeners=())
        answered = await net.ask(own, key=settings.secret_key, within=OWN_WAIT)
        owners = await asyncio.to_thread(listeners, port)
        return judging.judge_port(port, free=False, is_ringlight=answered.is_ringlight, listeners=owners)

    async def media() -> Seen:
        if settings.media.port == 0:
            return good("a free one is picked (RINGLIGHT_MEDIA__PORT is 0)")
        error = await asyncio.to_thread(machine.can_bind_media, settings.media.port, tcp=settings.media.tcp)
        if error is None or running or (await net.ask(own, key=settings.secret_key, within=OWN_WAIT)).is_ringlight:
            return good(f"{settings.media.port} is free" if error is None else "our own server has it")
        return failed(error)

    return [Look("key", key), Look("port", taken), Look("media-port", media), Look("segments", machine.segments)]


def url_plan(
    url: str, asked: Asked, *, ours: bool = False, ring: bool = False, path: str = "/api/about",
    key: Secret | None = None, shown: str = "",
) -> list[Look]:  # fmt: skip
    """Look at an address a step at a time.

    Args:
        url: `http:`, `https:`, `ws:` or `wss:`.
        asked: The page, and the clock.
        ours: Whether a Ringlight server must be there.
        ring: Whether it is one of Ring's hosts.
        path: What is asked for by a plain request.
        key: Our own server's, for a request to it.
        shown: The subject of the findings; empty: the address.
    """
    address = read_target(url)
    subject = shown or address.text
    way = _way_plan(address, asked, subject, ring=ring)
    whole = judging.judge_address(address)
    if whole.code is not None:
        return way[:1]
    named = [look.name for look in way]
    origin = asked.from_origin
    answered = Once(lambda: net.ask(address, path, origin=origin, key=key))

    async def answer() -> Seen:
        return judging.judge_answer(address.netloc, await answered(), ours=ours, ring=ring)

    needs = (named[0], *(name for name in named if name.startswith(("connect", "tls"))))
    looks = [*way, Look("answer", answer, subject, needs)]
    if origin is not None and not address.is_socket:

        async def cors() -> Seen:
            return judging.judge_cors(await answered(), origin, urlsplit(address.origin).netloc)

        looks.append(Look("cors", cors, subject, (f"answer {subject}",)))
    if address.is_socket:
        looks += _socket_plan(address, asked, subject, answered)
    return looks


def _way_plan(address: Address, asked: Asked, subject: str, *, ring: bool) -> list[Look]:
    """Look at all that comes before the first request."""
    proxy = net.proxy_of(address) if address.host else None
    host, port = address.host, address.port
    if proxy is not None:
        through = read_target(f"http://{proxy}")
        host, port = through.host, through.port
    named = Once(lambda: net.look_up(host, port))

    async def whole() -> Seen:
        return judging.judge_address(address)

    async def name() -> Seen:
        elsewhere = ring and address.is_socket and host != urlsplit(endpoints.SIGNALING).hostname
        return judging.judge_name(await named(), signaling=elsewhere and not is_loopback_host(host))

    async def connect() -> Seen:
        where = f"the proxy {host}:{port}" if proxy is not None else address.netloc
        return judging.judge_connection(where, await net.dial(host, (await named()).addresses, port))

    async def tls() -> Seen:
        return judging.judge_security(address.host, await net.secure(address), asked.wall())

    async def clock() -> Seen:
        theirs, ours = await net.clock_of(address, asked.wall)
        return judging.judge_clock(theirs, ours)

    looks = [Look("address", whole, subject)]
    if asked.page and not ring:

        async def page() -> Seen:
            return judging.judge_page(address, asked.page)

        looks.append(Look("page", page, subject, (f"address {subject}",)))
    looks.append(Look("name", name, subject, (f"address {subject}",)))
    looks.append(Look("connect", connect, subject, (f"name {subject}",)))
    if proxy is None:
        if address.is_secure:
            looks.append(Look("tls", tls, subject, (f"connect {subject}",)))
        looks.append(Look("clock", clock, subject, (f"connect {subject}",)))
    return looks


def _socket_plan(address: Address, asked: Asked, subject: str, answered: "Once[Answered]") -> list[Look]:
    """Look at a WebSocket. A room is never entered: the doctor asks for one of its own."""
    origin = asked.from_origin
    is_room = "/ws/" in f"{address.path}/"
    path = _dry(address.path) if is_room else address.path or "/"
    upgraded = Once(lambda: net.upgrade(address, path, origin=origin))
    looks = []
    if is_room:

        async def room() -> Seen:
            return judging.judge_room_address(address)

        looks.append(Look("room-address", room, subject, (f"address {subject}",)))
    if address.token:

        async def token() -> Seen:
            return judging.judge_room_token(address.token, asked.wall())

        looks.append(Look("room-token", token, subject))

    async def upgrade() -> Seen:
        ringlight = (await answered()).is_ringlight
        return judging.judge_upgrade(await upgraded(), origin=origin or "", ringlight=ringlight)

    async def stays() -> Seen:
        return judging.judge_open(await upgraded(), origin=origin or "")

    looks.append(Look("upgrade", upgrade, subject, (f"answer {subject}",)))
    looks.append(Look("open", stays, subject, (f"upgrade {subject}",)))
    return looks


def _dry(path: str) -> str:
    """Put a room of the doctor's own in the place of the one that is named: nobody in there is to notice."""
    head, found, rest = path.partition("/ws/signaling/")
    room, slash, role = rest.partition("/")
    if not found or judging.judge_room_address(Address("", "", "", 0, path)).code is not None or not room:
        return path
    return f"{head}{found}ringlight-doctor-{secrets.token_hex(6)}{slash}{role}"


def network_plan(settings: Settings, asked: Asked) -> list[Look]:
    """Look at the way to Ring, at datagrams, and at STUN and TURN servers."""
    looks = [Look("udp", machine.datagrams)]
    looks += ring_plan(settings, asked)
    return looks + relay_plan(settings, asked)


def ring_plan(settings: Settings, asked: Asked) -> list[Look]:
    """Look at the way to each of Ring's hosts that is used."""
    path = urlsplit(endpoints.TOKEN).path
    if settings.ring_url is not None:
        looks = url_plan(settings.ring_url, asked, ring=True, path=path, shown="Ring")
    else:
        looks = url_plan(endpoints.TOKEN, asked, ring=True, path=path, shown="Ring")
    if settings.ring_signaling_url is not None:
        address = read_target(settings.ring_signaling_url)
        looks += _way_plan(address, asked, "signaling", ring=True)[:3]
    elif settings.ring_url is None:
        looks += _way_plan(read_target(endpoints.SIGNALING), asked, "signaling", ring=True)[:4]
    return looks


def relay_plan(settings: Settings, asked: Asked) -> list[Look]:
    """Look at STUN and TURN servers: those of the settings, else public ones where Ring itself is used."""
    stuns = [url for url in settings.turn_url if url.lower().startswith("stun:")]
    turns = [url for url in settings.turn_url if url.lower().startswith("turn")]
    if not settings.turn_url and settings.ring_url is None:
        stuns = list(relay.PUBLIC_STUN)
    answered = Once(lambda: relay.ask_stun(stuns))

    async def stun() -> Seen:
        return judging.judge_stun(await answered() if stuns else ())

    async def nat() -> Seen:
        return judging.judge_nat(await answered(), has_turn=bool(turns))

    looks = [Look("stun", stun)]
    if len(stuns) > 1:
        looks.append(Look("nat", nat, needs=("stun",)))
    return looks + [_turn_look(url, settings.turn_secret, asked) for url in turns]


def _turn_look(url: str, secret: Secret | None, asked: Asked) -> Look:
    async def turn() -> Seen:
        if secret is None:
            return failed(fault_error("CFG-INVALID", "turn_secret: a TURN server needs the secret that it shares"))
        return judging.judge_turn(await relay.ask_turn(url, secret, asked.wall))

    return Look("turn", turn, url)


def account_plan(account: Account, cameras: Sequence[str] = (), *, needed: bool = True) -> list[Look]:
    """Look at a person's Ring account. `needed`: that nobody is signed in is a fault."""

    async def token() -> Seen:
        try:
            await account.access_token()
            return good(f"signed in as {(await account.profile()).email}")
        except RingError as error:
            if error.code == "AUTH-SIGNED-OUT" and not needed:
                return skipped("nobody is signed in (`ringlight login`)")
            return failed(error)

    async def identity() -> Seen:
        await account.account_id()
        return good("Ring names one, and no message of a view holds it")

    async def listed() -> Seen:
        found = await account.devices()
        return judging_views.judge_cameras([(one.name, one.refusal) for one in found], cameras)

    async def websocket() -> Seen:
        return good(await views.open_signaling(account))

    return [
        Look("token", token, needs=("answer Ring",)),
        Look("account-id", identity, needs=("token",)),
        Look("cameras", listed, needs=("token",)),
        Look("websocket", websocket, needs=("token", "name signaling", "connect signaling")),
    ]


def camera_plan(account: Account, name: str, trace: Trace | None, asked: Asked) -> list[Look]:
    """Open a live view of a camera, and look at each half of the dialog and at the picture."""

    async def view() -> Viewed:
        camera = await account.camera(name)
        if camera.device.refusal is not None:
            refused = fault_error(camera.device.refusal, f"Ring's device list says so of {camera.name}")
            return Viewed(refused)
        return await views.watch(account, camera, trace, asked.seconds)

    viewed = Once(view)

    async def messages() -> Seen:
        return judging_views.judge_messages(await viewed())

    async def dialog() -> Seen:
        return judging_views.judge_dialog(await viewed())

    async def video() -> Seen:
        return judging_views.judge_video(await viewed())

    needs = ("token", "websocket")
    return [
        Look("messages", messages, name, needs, patient=True),
        Look("dialog", dialog, name, needs, patient=True),
        Look("video", video, name, needs, patient=True),
    ]


def partner_plan(settings: Settings, asked: Asked, *, needed: bool = True) -> list[Look]:
    """Look at the app at Ring's Partner API. `needed`: that nobody has linked an account yet is a fault."""
    partner = settings.partner
    kept = Once(lambda: asyncio.to_thread(calls.kept, settings, asked.wall()))

    async def list_devices() -> Called:
        return await calls.call(settings, (await kept()).where)

    called = Once(list_devices)

    async def app() -> Seen:
        return judging_calls.judge_app(partner)

    async def keys() -> Seen:
        return judging_calls.judge_keys([key.reveal() for key in partner.hmac_keys])

    async def token() -> Seen:
        return judging_calls.judge_kept(await kept(), partner, needed=needed)

    async def call() -> Seen:
        return judging_calls.judge_call(await called())

    async def limit() -> Seen:
        return judging_calls.judge_limit(await called())

    async def devices() -> Seen:
        return judging_calls.judge_devices(await called())

    async def footage() -> Seen:
        try:
            return good(await calls.picture(settings, (await kept()).where))
        except RingError as error:
            return judging_calls.judge_no_picture(error)

    async def dormant() -> Seen:
        return judging_calls.judge_dormant(await asyncio.to_thread(calls.dormant_links, settings))

    base = settings.ring_url or "https://api.amazonvision.com"
    looks = [Look("partner-app", app), Look("partner-key", keys), Look("partner-token", token, needs=("partner-app",))]
    if settings.ring_url is None:
        looks += url_plan(base, asked, ring=True, path="/v1/users/me", shown="Partner API")
    needs = ("partner-token", "answer Partner API", "answer Ring")
    looks += [
        Look("partner-calls", call, needs=needs), Look("partner-limit", limit, needs=("partner-calls",)),
        Look("partner-devices", devices, needs=("partner-calls",)),
        Look("partner-footage", footage, needs=("partner-devices",)), Look("partner-link", dormant),
    ]  # fmt: skip
    return looks + _webhook_plan(settings, asked)


def _webhook_plan(settings: Settings, asked: Asked) -> list[Look]:
    """Send a signed delivery where that was asked for; an unsigned one to our own server, which must refuse it."""
    keys = settings.partner.hmac_keys
    own = f"http://{_host(settings)}:{settings.server.port}/ring/webhook"
    account = (settings.partner.accounts or ["ringlight-doctor"])[0]

    async def webhook() -> Seen:
        if asked.webhook and not keys:
            return skipped("a signed delivery takes the app's key (partner.hmac_keys)")
        if not asked.webhook and not (await net.ask(read_target(own), key=settings.secret_key)).is_ringlight:
            return skipped("no server of ours runs; name a receiver with --webhook URL")
        sent = calls.deliver(asked.webhook or own, keys[0] if asked.webhook else None, account, asked.wall)
        return judging_calls.judge_delivery(await sent)

    return [Look("webhook", webhook, asked.webhook)] if asked.webhook or keys else []


def room_plan(settings: Settings, asked: Asked) -> list[Look]:
    """Look at the rooms of our own server: on this machine, and by the address that others have for it."""
    url = f"ws://{_host(settings)}:{settings.server.port}/ws/v2"
    looks = url_plan(url, asked, ours=True, key=settings.secret_key)
    if settings.public_url is not None:
        public = settings.public_url.rstrip("/")
        from_there = replace(asked, page=asked.page or public)
        looks += url_plan(f"ws{public.removeprefix('http')}/ws/v2", from_there, ours=True, key=settings.secret_key)
    return looks + relay_plan(settings, asked)


def _host(settings: Settings) -> str:
    host = seen_from_here(settings.server.host)
    return f"[{host}]" if ":" in host else host


def quick(settings: Settings) -> Settings:
    """Return the settings with views that are tried once: the doctor wants to see the fault, not to get over it."""
    once = settings.live_view.model_copy(update={"retries": 0, "reopen_retries": 0})
    cameras = settings.cameras.model_copy(update={"linger": 0.0})
    return settings.model_copy(update={"live_view": once, "cameras": cameras})
