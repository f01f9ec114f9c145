"""Holds conversations and fetches footage, without an event loop. Threads may share it."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ringlight.errors import RingError
from ringlight.http.address import rebase
from ringlight.http.bus import Bus
from ringlight.http.calling import Caller
from ringlight.http.flow import drive_waiting
from ringlight.http.ports import Keeper, RateGate
from ringlight.http.sync_driver import SyncDriver
from ringlight.http.telemetry import Telemetry
from ringlight.http.unread import Unread
from ringlight.partner import download
from ringlight.partner.bearers import OneToken
from ringlight.partner.call import Call, Conversation
from ringlight.partner.keeping import LinkKeeper
from ringlight.partner.last_known import key_of, marked
from ringlight.partner.link import Link
from ringlight.partner.media import Head, Wish
from ringlight.partner.part_file import PartFile
from ringlight.partner.raw import note
from ringlight.partner.setup import Setup
from ringlight.partner.token_calls import Grant
from ringlight.resilience.events import Event
from ringlight.resilience.options import Options
from ringlight.resilience.shared import Shared
from ringlight.secrets import Secret

if TYPE_CHECKING:
    from ringlight.http.shared_gate import SharedGate
    from ringlight.settings import ResilienceSettings

__all__ = ["USER_AGENT", "Progress", "Runner", "Target", "link_of", "sink_of", "token_call"]

T = TypeVar("T")
Progress: TypeAlias = Callable[[int, int | None], object]
Target: TypeAlias = str | Path | download.Sink

USER_AGENT = "ringlight"


def _redis_gate(url: Secret, client_id: str, settings: "ResilienceSettings") -> "SharedGate":
    # Loaded where it is wanted only: an event loop's modules come with it, of which the others have no need.
    from ringlight.http.shared_gate import SharedGate  # noqa: PLC0415

    return SharedGate(url, client_id, settings)


class Runner:
    """One account's calls.

    Args:
        setup: What it is made from.
        gate: A gate that is shared with other processes; `None` is the one that the settings name, or one of its own.
        telemetry: Spans and metrics; `None` makes none.
        driver: Sends requests; `None` makes one. It is closed with the runner.
        clock: Monotonic seconds.
        sleep: Waits.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        gate: RateGate | None = None,
        telemetry: Telemetry | None = None,
        driver: SyncDriver | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.setup = setup
        self.bus = Bus()
        self.shared = Shared(setup.resilience, random.SystemRandom().random)
        self.clock = clock
        self._sleep = sleep
        self._driver = driver or SyncDriver(
            timeout=setup.resilience.total, near=setup.ring_url, user_agent=USER_AGENT, patience=setup.patience
        )
        self._link = link_of(setup)
        self._keeper = None if self._link is None else LinkKeeper(self._link, setup.store, self._send, tell=self._tell)
        keeper: Keeper = self._keeper or OneToken(setup.one_token)
        self._gate = setup.shared_gate(_redis_gate) if gate is None else None
        gate = gate or self._gate
        self._caller = Caller(
            self._driver, self.shared, keeper, bus=self.bus, gate=gate, telemetry=telemetry, clock=clock, sleep=sleep
        )

    def run(self, conversation: Conversation[T], options: Options) -> T:
        """Hold a conversation to its end; raise what it raises, or one of its calls."""
        return drive_waiting(conversation, lambda call: self._make(call, options))

    def fetch(self, wish: Wish, target: Target, progress: Progress | None, options: Options) -> download.Saved:
        """Fetch footage into a file or another sink; see `download` for what it raises."""
        sink, unread = sink_of(target), Unread(self._driver)
        caller = self._caller.over(unread)
        patient = replace(options, fresh_until=0.0)
        plan = download.download(wish, options.attempts)
        try:
            step = next(plan)
            while True:
                said: Head | RingError | bytes | None = None
                try:
                    said = self._do(step, caller, unread, patient)
                except RingError as error:
                    said = error
                if isinstance(step, download.Restart):
                    sink.restart()
                elif isinstance(step, download.Write):
                    sink.write(step.piece)
                    if progress is not None:
                        progress(step.done, step.total)
                step = plan.send((time.time(), said))
        except StopIteration as end:
            sink.finish()
            saved: download.Saved = end.value
            return saved
        except BaseException:
            sink.discard()
            raise
        finally:
            unread.close()

    def close(self) -> None:
        """Wait for a renewal of the tokens that is under way, then close connections and store."""
        if self._keeper is not None:
            self._keeper.close()
        self._driver.close()
        if self._gate is not None:
            self._gate.close()
        if self.setup.is_own_store:
            self.setup.store.close()

    def _make(self, call: Call[Any], options: Options) -> Any:
        account = self.setup.account
        done = self._caller.call(call, options=options, keep=key_of(call, account), account=account)
        note(done)
        return marked(done.value, done.stale)

    def _do(
        self, step: download.Step, caller: Caller, unread: Unread, options: Options
    ) -> Head | RingError | bytes | None:
        if isinstance(step, download.Open):
            unread.close()
            done = caller.call(step.call, options=options, account=self.setup.account)
            note(done)
            head: Head = done.value
            return head
        if isinstance(step, download.Read):
            return unread.read()
        if isinstance(step, download.Wait):
            self._sleep(step.seconds)
        return None

    def _send(self, call: Call[Grant]) -> Grant:
        grant: Grant = self._caller.call(token_call(call, self.setup), options=Options(gate=False)).value
        return grant

    def _tell(self, event: Event) -> None:
        self.bus.post([event])


def link_of(setup: Setup) -> Link | None:
    """Return the link of a linked account; `None` for an access token alone."""
    if setup.app is None or setup.token is not None:
        return None
    numbers = setup.resilience
    return Link(
        setup.account, setup.app, advisory=numbers.refresh_advisory, mandatory=numbers.refresh_mandatory,
        pause=numbers.refresh_pause,
    )  # fmt: skip


def token_call(call: Call[Grant], setup: Setup) -> Call[Grant]:
    """Return a call of the token service, to what stands in for Ring where something does."""
    return replace(call, request=replace(call.request, url=rebase(call.request.url, setup.ring_url)))


def sink_of(target: Target) -> download.Sink:
    """Return where footage goes: a path becomes a file that is there only once it is whole."""
    return PartFile(Path(target)) if isinstance(target, (str, Path)) else target
