"""What all calls with one client id share: the machines that the pipeline asks. Pure."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from ringlight.resilience.breaker import Breakers, Change, Rule, Ticket
from ringlight.resilience.budget import Budget
from ringlight.resilience.classify import Class, Crowd, Seen
from ringlight.resilience.decide import CallState
from ringlight.resilience.events import BreakerClosed, BreakerOpened, GateDivided, GateShared, Outbox
from ringlight.resilience.gate import Gate
from ringlight.resilience.notices import Notices, Topic
from ringlight.resilience.operation import Family, Operation
from ringlight.resilience.options import Strategies
from ringlight.resilience.pace import Pace
from ringlight.resilience.shedding import Shedding
from ringlight.resilience.stale import LastKnown, ages

if TYPE_CHECKING:
    from ringlight.settings import ResilienceSettings

__all__ = ["Admission", "Closed", "Shared", "device_key"]

_LONG_PAUSE = 10.0  # seconds of a pause from which people are told


class Admission(Struct, frozen=True):
    """The tickets of one attempt."""

    service: Ticket
    device: Ticket | None


class Closed(Struct, frozen=True):
    """A breaker lets nobody through for `seconds`; `device` says whether it is a device's."""

    seconds: float
    device: bool


def device_key(operation: Operation) -> tuple[str, str] | None:
    """Return the key of a device's breaker: the device, and the part of the API that asks for it.

    A device that is offline has no live view, and still a status that can be read.
    """
    return None if operation.device is None else (operation.device, operation.name.partition(".")[0])


def _service(operation: Operation) -> Family:
    return Family.API if operation.family is Family.DEVICE else operation.family


def _consent(operation: Operation) -> str:
    """Return whose consent is meant, and for what: another kind of call that goes well says nothing of it."""
    return f"{operation.device} {operation.name}" if operation.device else operation.name


class Shared:
    """The machines of one client id.

    It takes no lock: whoever shares it between threads steps each pipeline under one, and takes the events out there.

    Attributes:
        settings: The numbers.
        strategies: The switches, for calls that choose no others.
        dice: Source of numbers in [0, 1).
        gate: The rate gate; a shell asks it where the call yields `Reserve`, `Pause` and `SetRate`, unless the gate is
            shared with other processes.
        pace: The rate for the gate.
        budget: What retries are paid from.
        shedding: Turns calls away when the service takes few; `None` if that is not wanted.
        services: The breaker of each part of Ring.
        devices: The breakers of devices.
        known: The last known good answers.
        notices: What people are told.
        give_up: Gives a place at the gate up; a shell whose gate is shared with other processes puts its own here.
        outbox: Events for the shell to hand on after each step, outside its lock.

    Args:
        settings: The numbers.
        dice: Source of numbers in [0, 1).
    """

    def __init__(self, settings: "ResilienceSettings", dice: Callable[[], float]) -> None:
        self.settings = settings
        self.strategies = Strategies(
            settings.automatic_retry,
            settings.token_refresh,
            settings.exponential_backoff,
            settings.circuit_breaker,
            settings.graceful_degradation,
            settings.user_notification,
        )
        self.dice = dice
        self.gate = Gate(settings.gate_rate, settings.gate_burst)
        self.give_up: Callable[[int], None] = self.gate.release
        self.pace = Pace(settings.gate_rate)
        self.budget = Budget(settings.budget)
        self.shedding = Shedding() if settings.shedding else None
        rule = Rule(
            settings.breaker_ratio,
            settings.breaker_window,
            settings.breaker_volume,
            settings.breaker_in_a_row,
            settings.breaker_open,
            settings.breaker_open_cap,
        )
        self.services: Breakers[Family] = Breakers(rule, dice, len(Family))
        offline = Rule(1.0, 30.0, 1, 1, settings.device_open, settings.device_open_cap)
        self.devices: Breakers[tuple[str, str]] = Breakers(offline, dice, settings.devices)
        self.known = LastKnown(ages(settings), settings.stale_entries)
        self.notices = Notices()
        self.outbox = Outbox()
        self._crowd = Crowd()
        self._alone = 0

    def closed(self, call: CallState, now: float) -> Closed | None:
        """Return the breaker that would turn this call away, or `None`."""
        if not call.strategies.circuit_breaker:
            return None
        wait = self.services.wait(_service(call.operation), now)
        if wait is not None:
            return Closed(wait, device=False)
        key = device_key(call.operation)
        wait = None if key is None else self.devices.wait(key, now)
        return None if wait is None else Closed(wait, device=True)

    def admit(self, call: CallState, now: float) -> Admission | Closed:
        """Let an attempt pass both breakers. What is admitted must be recorded or released."""
        if not call.strategies.circuit_breaker:
            return Admission(Ticket(-1, False), None)
        part, key = _service(call.operation), device_key(call.operation)
        service = self.services.admit(part, now)
        if service is None:
            return Closed(self.services.wait(part, now) or 1.0, device=False)
        if key is None:
            return Admission(service, None)
        device = self.devices.admit(key, now)
        if device is None:
            self.services.release(part, service)
            return Closed(self.devices.wait(key, now) or 1.0, device=True)
        return Admission(service, device)

    def release(self, call: CallState, admission: Admission) -> None:
        """Give tickets back without a verdict."""
        self.services.release(_service(call.operation), admission.service)
        key = device_key(call.operation)
        if key is not None and admission.device is not None:
            self.devices.release(key, admission.device)

    def judge(self, operation: Operation, seen: Seen, now: float) -> Class:
        """Return the class of an outcome in the light of the others: many devices offline at once are the service."""
        if operation.device is None:
            return seen.kind
        if seen.kind is not Class.DEVICE_OFFLINE:
            if seen.kind is Class.GOOD:
                self._crowd.remove(operation.device)
            return seen.kind
        crowd = self._crowd.add(operation.device, now)
        return Class.UNAVAILABLE if crowd and seen.undecided else seen.kind

    def record(self, call: CallState, admission: Admission, seen: Seen, now: float) -> None:
        """Tell the breakers, and people, what came of an attempt."""
        operation, part = call.operation, _service(call.operation)
        counts = None if seen.own else seen.follows.counts
        if counts is None:
            self.services.release(part, admission.service)
        else:
            change = self.services.record(part, admission.service, not counts, now)
            self._changed(call, change, Topic.SERVICE, part.value, self.services.until(part), now)
        self._record_device(call, admission, seen, now)
        if not call.strategies.user_notification:
            return
        if seen.kind in {Class.NEVER_SENT, Class.MAYBE_SENT} and not seen.own:
            self._tell(Topic.UNREACHABLE, part.value, seen.code or "NET-UNREACHABLE", now)
        elif seen.status is not None and len(self.notices):
            self._well(Topic.UNREACHABLE, part.value, now)
            if seen.kind is Class.GOOD:
                self._well(Topic.RATE, "client", now)
                self._well(Topic.CONSENT, _consent(operation), now)

    def link_lost(self, call: CallState, account: str, code: str, now: float) -> None:
        """An account's link is lost: forget what is known of it, and tell people."""
        self.known.purge(account)
        if call.strategies.user_notification:
            self._tell(Topic.LINK, account, code, now)

    def forbidden(self, call: CallState, code: str, now: float) -> None:
        """Tell people of a consent that is missing; no other refusal is theirs to mend."""
        if call.strategies.user_notification and code in {"PARTNER-CONSENT", "PARTNER-SCOPE"}:
            self._tell(Topic.CONSENT, _consent(call.operation), code, now)

    def removed(self, call: CallState, code: str, now: float) -> None:
        """Tell people that a device which was known is gone."""
        if call.strategies.user_notification and call.operation.device is not None:
            self._tell(Topic.REMOVED, call.operation.device, code, now)

    def paused(self, call: CallState, seconds: float, code: str, now: float) -> None:
        """Tell people of a long pause."""
        if call.strategies.user_notification and seconds > _LONG_PAUSE:
            self._tell(Topic.RATE, "client", code, now)

    def gate_said(self, call: CallState, alone: int, now: float) -> None:
        """Note whether the gate for many processes can be reached, and tell of it when that changes.

        Args:
            call: Whose turn it was.
            alone: Among how many the limit is divided meanwhile; 0 where it can be reached.
            now: Monotonic seconds.
        """
        before, self._alone = self._alone, alone
        if bool(before) is bool(alone):
            return
        self.outbox.put(GateDivided(now, alone) if alone else GateShared(now))
        if not alone:
            self._well(Topic.GATE, "client", now)
        elif call.strategies.user_notification:
            self._tell(Topic.GATE, "client", "CALL-GATE-ALONE", now)

    def device_online(self, device: str, now: float) -> None:
        """A webhook says that a device has a connection again: the next call tries at once."""
        for key in self.devices:
            if key[0] == device:
                self.devices.wake(key, now)
        self._well(Topic.DEVICE, device, now)

    def link_back(self, account: str, now: float) -> None:
        """An account was linked anew, or one of its calls went well."""
        if len(self.notices):
            self._well(Topic.LINK, account, now)

    def device_removed(self, account: str, device: str) -> None:
        """A webhook says that a device is gone: what is known of it is forgotten."""
        self.known.purge(account, device)

    def _record_device(self, call: CallState, admission: Admission, seen: Seen, now: float) -> None:
        key = device_key(call.operation)
        if key is None:
            return
        offline, good = seen.kind is Class.DEVICE_OFFLINE, seen.kind is Class.GOOD
        ended = good and admission.device is None
        if admission.device is not None and (offline or good):
            change = self.devices.record(key, admission.device, good, now)
            ended = change is Change.CLOSED
            self._changed(call, change, None, key[0], self.devices.until(key), now)
        elif admission.device is not None:
            self.devices.release(key, admission.device)
        if offline and call.strategies.user_notification:
            self._tell(Topic.DEVICE, key[0], seen.code or "PARTNER-DEVICE-OFFLINE", now)
        elif ended:
            self._well(Topic.DEVICE, key[0], now)

    def _changed(
        self, call: CallState, change: Change | None, topic: Topic | None, subject: str, until: float, now: float
    ) -> None:
        if change is Change.OPENED:
            self.outbox.put(BreakerOpened(now, subject, until - now))
            if topic is not None and call.strategies.user_notification:
                self._tell(topic, subject, "CALL-CIRCUIT", now)
        elif change is Change.CLOSED:
            self.outbox.put(BreakerClosed(now, subject))
            if topic is not None:
                self._well(topic, subject, now)

    def _tell(self, topic: Topic, subject: str, code: str, now: float) -> None:
        for notice in self.notices.trouble(topic, subject, code, now):
            self.outbox.put(notice)

    def _well(self, topic: Topic, subject: str, now: float) -> None:
        for notice in self.notices.well(topic, subject, now):
            self.outbox.put(notice)
