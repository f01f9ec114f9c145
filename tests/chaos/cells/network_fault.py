"""Cells of the network: a Ring that is not there, is silent, shows a wrong certificate, or leads into our network."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Literal

from scenes.account_home import EVENT, Home, settings_of
from scenes.account_runs import RUNS
from troubles.bent_ring import BentRing, DeafWorld, Instead, bent_ring

from both_clients import either
from cells import Cell, Lab, Met, Outcome, Run
from cells.live_view import ITSELF
from cells.partner import QUICK
from own_certificates import Authority
from patients import free_port, pass_on
from ringlight.errors import RingError
from ringlight.http.serving import Tls
from ringlight.secrets import Secret
from ringlight.settings import PartnerSettings, Settings
from ringlight.simulator.certificate import identity_in
from ringlight.testing import SimulatedRing

Kind = Literal["good", "nothing", "silent", "certificate"]


class Place(Home):
    """A port at which Ring stands, or something else in its place; its world stays the same.

    Args:
        lab: Whose.
        url: How it is reached, with `{port}` in it; `None` by the names of Ring's own hosts, which a proxy leads here.
        tls: Puts its certificates there; `None` speaks without.
    """

    def __init__(self, lab: Lab, url: str | None = "http://127.0.0.1:{port}", tls: "Authority | Tls | None" = None):
        self.port, self._tls, self._stack = free_port(), tls, AsyncExitStack()
        here = url.format(port=self.port) if url is not None else None
        super().__init__(BentRing(SimulatedRing(here or "", DeafWorld())), settings_of(lab, here))

    async def stand(self, kind: Kind) -> None:
        """Put something else there."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()
        if kind == "nothing":
            return
        shown = self._tls
        if isinstance(shown, Authority):
            shown.put("name" if kind == "certificate" else "good")
            shown = Tls(shown.certificate, shown.key)
        self.bent = await self._stack.enter_async_context(bent_ring(self.world, port=self.port, tls=shown))
        self.bent.instead[:] = [Instead("", 0)] if kind == "silent" else []


@contextlib.asynccontextmanager
async def proxy_to(port: Callable[[], int]) -> AsyncIterator[int]:
    """A proxy that leads every CONNECT to one port of this machine; gives its own."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        back, there = await asyncio.open_connection("127.0.0.1", port())
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pass_on(reader, there), pass_on(back, writer))

    listening = await asyncio.start_server(served, "127.0.0.1", 0)
    try:
        yield int(listening.sockets[0].getsockname()[1])
    finally:
        listening.close()


@dataclass(frozen=True)
class NetworkTrouble:
    """What is wrong between us and Ring.

    Attributes:
        what: In words.
        code: The fault.
        kind: What stands in Ring's place.
        instead: What some addresses answer.
        ask: What is asked, of `ASKS`.
        met: Who meets it here.
        proxied: Whether Ring's own hosts are asked, by a proxy: a stand-in in this network may lead into it.
        is_lasting: Whether nothing mends it.
    """

    what: str
    code: str
    kind: Kind = "good"
    instead: tuple[Instead, ...] = ()
    ask: str = "cameras"
    met: frozenset[Met] = frozenset({Met.VIEW, Met.API, Met.COMMAND, Met.PAGE, Met.DOCTOR, Met.SYNC, Met.ASYNC})
    proxied: bool = False
    is_lasting: bool = field(default=False)

    @contextlib.asynccontextmanager
    async def setting(self, lab: Lab) -> AsyncIterator[Home]:
        """A good Ring, and somebody who has signed in to it."""
        async with self._place(lab) as at:
            try:
                await at.stand("good")
                await at.sign_in()
                yield at
            finally:
                await at.stand("nothing")

    @contextlib.asynccontextmanager
    async def _place(self, lab: Lab) -> AsyncIterator[Place]:
        if self.proxied:
            shown = identity_in(lab.folder)
            lab.patch.setenv("SSL_CERT_FILE", str(shown.authority))
            at = Place(lab, None, shown.tls)
            async with proxy_to(lambda: at.port) as port:
                lab.patch.setenv("https_proxy", f"http://127.0.0.1:{port}")
                yield at
        elif self.kind == "certificate":
            authority = Authority(lab.folder)
            lab.patch.setenv("SSL_CERT_FILE", str(authority.trusted))
            yield Place(lab, "https://localhost:{port}", authority)
        else:
            yield Place(lab)

    async def begin(self, at: Home) -> None:
        """Let it happen."""
        assert isinstance(at, Place)
        if self.kind != "good":
            await at.stand(self.kind)
        at.bent.instead.extend(self.instead)

    async def end(self, at: Home) -> None:
        """Put a good Ring there."""
        assert isinstance(at, Place)
        await at.stand("good")


@dataclass(frozen=True)
class Nowhere:
    """An address at which Ring can never be.

    Attributes:
        what: In words.
        code: The fault.
        url: The address.
        met: Who meets it here.
    """

    what: str
    code: str
    url: str
    met: frozenset[Met]
    ask: str = "cameras"
    is_lasting: bool = True

    @contextlib.asynccontextmanager
    async def setting(self, lab: Lab) -> AsyncIterator[Home]:
        """Somebody who has signed in to another Ring before."""
        at = Place(lab)
        await at.stand("good")
        await at.sign_in()
        await at.stand("nothing")
        yield Home(at.bent, settings_of(lab, self.url))

    async def begin(self, _: Home) -> None:
        """It is so from the start."""

    async def end(self, _: Home) -> None:
        """It stays so."""


@contextlib.asynccontextmanager
async def _hangs_up() -> AsyncIterator[str]:
    """A server that ends every handshake."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    listening = await asyncio.start_server(served, "127.0.0.1", 0)
    try:
        yield f"https://localhost:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


@dataclass(frozen=True)
class HangsUp(Nowhere):
    """An address at which no handshake comes to its end."""

    @contextlib.asynccontextmanager
    async def setting(self, lab: Lab) -> AsyncIterator[Home]:
        """Somebody who has signed in to another Ring before."""
        async with _hangs_up() as url, Nowhere(self.what, self.code, url, self.met).setting(lab) as at:
            yield at


SDK = frozenset({Met.SYNC, Met.ASYNC})
FILM = "https://127.0.0.1:9/film.mp4"
FOOTAGE = NetworkTrouble("footage that leads into our network", "NET-INSIDE", ask="footage", proxied=True,
                         instead=(Instead("/media/", 303, {}, {"Location": FILM}),), met=SDK)  # fmt: skip
NETWORK_TROUBLES: tuple[NetworkTrouble | Nowhere, ...] = (
    NetworkTrouble("nobody listens there", "NET-UNREACHABLE", "nothing", met=frozenset({Met.API, Met.PAGE})),
    NetworkTrouble("a certificate for another name", "NET-TLS", "certificate",
                   met=frozenset({Met.VIEW, Met.API, Met.COMMAND, Met.PAGE}) | SDK),
    NetworkTrouble("no answer", "NET-TIMEOUT", "silent"),
    NetworkTrouble("a recording that leads into our network", "NET-INSIDE", ask="recording", proxied=True,
                   instead=(Instead(f"/dings/{EVENT}/", 200, {"url": FILM}),),
                   met=frozenset({Met.VIEW, Met.API, Met.COMMAND, Met.PAGE})),
    FOOTAGE,
    Nowhere("a name that nobody knows", "NET-DNS", "http://none.invalid", frozenset({Met.VIEW, Met.API, Met.PAGE})),
    Nowhere("an address without a way to it", "NET-UNREACHABLE", "http://255.255.255.255", frozenset({Met.DOCTOR})),
    HangsUp("a handshake that ends in the middle", "NET-TLS", "", frozenset({Met.DOCTOR})),
)  # fmt: skip


# ---- the SDK ----


def app_settings(at: Home, **partner: Any) -> Settings:
    """Settings of an app at the Partner API, each of whose calls is sent once."""
    app = PartnerSettings(client_id="sim-client", client_secret=Secret("sim-secret"), **partner)
    once = QUICK.model_copy(update={"attempts": 1})
    return at.settings.model_copy(update={"partner": app, "resilience": once})


def sdk_meets(trouble: NetworkTrouble, kind: str) -> Run:
    """A client of the SDK calls, and calls again once it is mended."""

    async def run(lab: Lab) -> Outcome:
        async with trouble.setting(lab) as at:
            loop = asyncio.get_running_loop()

            def soon(what: Callable[[Home], Any]) -> None:
                asyncio.run_coroutine_threadsafe(what(at), loop).result(30)

            return await asyncio.to_thread(_call, trouble, kind, at, lab, soon)

    return run


def _call(trouble: NetworkTrouble, kind: str, at: Home, lab: Lab, soon: Callable[[Any], None]) -> Outcome:
    def ask(client: Any) -> Any:
        if trouble.ask == "footage":
            return client.media.clip(door, moment, 5, to=lab.folder / "x.mp4")
        return client.devices.list()

    door, moment = "", 0
    with either(kind, settings=app_settings(at, read_timeout=1.0), tokens="sim-token") as one:
        if trouble.ask == "footage":
            door = next(device.id for device in one.do(lambda c: c.devices.list()) if device.name == "Front Door")
            moment = one.do(lambda c: c.history.events(door, event_types=["motion"]))[0].start
        soon(trouble.begin)
        began = time.monotonic()
        try:
            one.but(fallback="never").do(ask)
        except RingError as error:
            code, said, named = error.code, str(error), time.monotonic() - began
        else:
            return Outcome(None, "", time.monotonic() - began)
        soon(trouble.end)
        began = time.monotonic()
        while time.monotonic() < began + ITSELF:
            with contextlib.suppress(RingError):
                one.but(fallback="never").do(ask)
                return Outcome(code, said, named, "when asked again", time.monotonic() - began)
            time.sleep(0.2)
    return Outcome(code, said, named, "not yet")


def network_fault_cells() -> Iterator[Cell]:
    for trouble in NETWORK_TROUBLES:
        for met in sorted(trouble.met, key=lambda one: one.value):
            if met in SDK:
                assert isinstance(trouble, NetworkTrouble)
                run = sdk_meets(trouble, "sync" if met is Met.SYNC else "async")
            else:
                run = RUNS[met](trouble)
            yield Cell(trouble.code, met, f"network: {trouble.what}", run)
