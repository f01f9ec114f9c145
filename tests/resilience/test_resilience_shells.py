"""The acceptance scripts over the real shells, with and without an event loop, in virtual time."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from scripts import FOLDER, Begin, Script, read
from stage import Stage, Waiter

from jumping_loop import JumpingLoop
from ringlight.errors import RingError, fault_error
from ringlight.http.async_calling import AsyncCaller
from ringlight.http.async_keeping import AsyncTokenKeeper
from ringlight.http.bus import Bus
from ringlight.http.calling import Caller
from ringlight.http.flow import Request, Response
from ringlight.http.keeping import Holding
from ringlight.partner.call import Call
from ringlight.resilience.actions import Answered, Bearer, Failed, Fate
from ringlight.resilience.events import Event, Notice
from ringlight.resilience.pipeline import Done
from ringlight.resilience.shared import Shared
from ringlight.resilience.token_state import TokenState
from ringlight.secrets import Secret
from ringlight.settings import ResilienceSettings

SCRIPTS = sorted(FOLDER.glob("*.toml"))


class Played:
    """What is the same for both shells: the script, its machines, and what was seen."""

    def __init__(self, script: Script, clock: Callable[[], float]) -> None:
        self.script, self.clock, self.began = script, clock, clock()
        self.settings = ResilienceSettings(**script.settings)
        self.shared = Shared(self.settings, lambda: script.dice)
        self.seen: list[str] = []
        self.events: list[Event] = []
        self.bus = Bus()
        self.bus.listen(self.events.append)

    def saw(self, call: str | int, does: str, end: str = "") -> None:
        self.seen.append(f"{self.clock() - self.began:.3f} {call} {does} {end}".strip())

    def call(self, number: int, begin: Begin) -> Call[str]:
        request = Request("GET", "http://ring.test/", {"X-Call": str(number)}, at="partner")
        return Call(begin.operation, request, lambda _: "value", begin.bearer)

    def ended(self, number: int, came: Done | RingError) -> None:
        good = "stale" if isinstance(came, Done) and came.stale else "good"
        self.saw(number, "end", good if isinstance(came, Done) else came.code)

    def state(self) -> TokenState:
        numbers = self.settings
        return TokenState(
            advisory=numbers.refresh_advisory, mandatory=numbers.refresh_mandatory, pause=numbers.refresh_pause
        )

    def first(self) -> Bearer | None:
        lifetime = self.script.lifetime
        return None if lifetime is None else Bearer(1, Secret("token"), self.clock() + lifetime)

    def arrived(self, request: Request) -> tuple[float, Response | Failed]:
        """What the server does with a request: the seconds, and the answer."""
        self.saw(str(request.headers["X-Call"]), "send")
        takes, outcome = self.script.server()
        timeout = request.timeout or 0.0
        if takes > timeout:
            return timeout, Failed(Fate.MAYBE_SENT, fault_error("NET-TIMEOUT"))
        if isinstance(outcome, Answered):
            return takes, Response(outcome.status, outcome.headers, outcome.body)
        return takes, outcome

    def online(self, device: str) -> None:
        """As a webhook says."""
        self.shared.device_online(device, self.clock())

    def renewal(self) -> tuple[float, float | RingError]:
        self.saw(0, "renew")
        return self.script.renew()

    def renewed(self, began: float, came: float | RingError) -> Bearer:
        if isinstance(came, RingError):
            raise came
        return Bearer(0, Secret(f"token-{began}"), began + came)

    def tell(self, event: Event) -> None:
        """Take the event of a renewal."""
        self.bus.post([event])

    def judge(self) -> None:
        names = [
            f"Notice {event.topic} {'over' if event.over else 'begun'}"
            if isinstance(event, Notice)
            else type(event).__name__
            for event in self.events
        ]
        self.script.judge(self.seen, names)


class AsyncServer:
    def __init__(self, played: Played) -> None:
        self._played = played

    async def attempt(self, request: Request) -> Response | Failed:
        takes, came = self._played.arrived(request)
        await asyncio.sleep(takes)
        return came


class Server:
    def __init__(self, played: Played, stage: Stage) -> None:
        self._played, self._stage = played, stage

    def attempt(self, request: Request) -> Response | Failed:
        takes, came = self._played.arrived(request)
        self._stage.sleep(takes)
        return came


class StagedKeeper:
    """`TokenKeeper` for the stage, where nobody may wait for a real thread."""

    def __init__(self, played: Played, stage: Stage) -> None:
        self._played, self._stage = played, stage
        self._waiting: list[Waiter] = []
        self._holding = Holding(played.state())
        first = played.first()
        if first is not None:
            self._holding.adopt(first, stage.time())

    def bearer(self, within: float) -> Bearer | RingError:
        until = self._stage.time() + within
        while True:
            given, renew = self._holding.ask(self._stage.time())
            if renew:
                self._stage.spawn(self._renew)
            if given is not None:
                return given
            if self._stage.time() >= until:
                return fault_error("CALL-DEADLINE")
            self._waiting.append(Waiter())
            self._stage.wait(self._waiting[-1], until)

    def rejected(self, number: int) -> None:
        self._holding.rejected(number, self._stage.time())

    def _renew(self) -> None:
        began = self._stage.time()
        takes, came = self._played.renewal()
        self._stage.sleep(takes)
        try:
            result: Bearer | RingError = self._played.renewed(began, came)
        except RingError as error:
            result = error
        self._played.tell(self._holding.ended(result, began, self._stage.time()))
        for waiter in self._waiting:
            self._stage.wake(waiter)
        self._waiting.clear()


def play_with_a_loop(script: Script) -> Played:
    async def main() -> Played:
        loop = asyncio.get_running_loop()
        played = Played(script, loop.time)

        async def refresh(_: Bearer | None) -> Bearer:
            began = loop.time()
            takes, came = played.renewal()
            await asyncio.sleep(takes)
            return played.renewed(began, came)

        keeper = AsyncTokenKeeper(refresh, played.state(), tell=played.tell, clock=loop.time)
        first = played.first()
        if first is not None:
            keeper.adopt(first)
        client = AsyncCaller(AsyncServer(played), played.shared, keeper, bus=played.bus, clock=loop.time)

        async def one(number: int, begin: Begin) -> None:
            await asyncio.sleep(begin.at)
            asked, options = played.call(number, begin), begin.options(played.began)
            try:
                came: Done | RingError = await client.call(asked, options=options, keep=begin.keep, account="ada")
            except RingError as error:
                came = error
            played.ended(number, came)

        for device, at in script.webhooks.items():
            loop.call_later(at, played.online, device)
        await asyncio.gather(*(one(number, begin) for number, begin in enumerate(script.calls)))
        await keeper.aclose()
        return played

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main())


def play_with_threads(script: Script) -> Played:
    stage = Stage()
    played = Played(script, stage.time)
    keeper = StagedKeeper(played, stage)
    client = Caller(Server(played, stage), played.shared, keeper, bus=played.bus, clock=stage.time, sleep=stage.sleep)

    def one(number: int, begin: Begin) -> None:
        asked, options = played.call(number, begin), begin.options(played.began)
        try:
            came: Done | RingError = client.call(asked, options=options, keep=begin.keep, account="ada")
        except RingError as error:
            came = error
        played.ended(number, came)

    for device, at in script.webhooks.items():
        stage.spawn(partial(played.online, device), after=at)
    for number, begin in enumerate(script.calls):
        stage.spawn(partial(one, number, begin), after=begin.at)
    stage.run()
    return played


@pytest.mark.parametrize("play", [play_with_a_loop, play_with_threads], ids=["async", "sync"])
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_shell_does_what_the_script_expects(path: Path, play: Callable[[Script], Played]) -> None:
    play(read(path)).judge()
