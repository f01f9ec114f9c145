"""A scenario: a simulated Ring for one story, as a TOML file tells it. Pure: text in, data out."""

import re
import tomllib
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.simulator.behaviour import PROFILES
from ringlight.simulator.partner.switches import ALL_SWITCHES
from ringlight.simulator.premises import CAMERAS
from ringlight.simulator.switchboard import SWITCHES

__all__ = [
    "CameraTable",
    "DelaysTable",
    "InTurn",
    "LimitsTable",
    "Moment",
    "PartnerTable",
    "Scenario",
    "parse_scenario",
]

Seconds = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
Positive = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]
Number = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Names = tuple[str, ...]
_NO_CLOSE_CODES = (1004, 1006, *range(1015, 3000))  # RFC 6455 section 7.4: never sent


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the file; a key that is not listed is a mistake."""


class DelaysTable(_Table, frozen=True):
    """Seconds for each phase, as `world.Delays` has them."""

    session: Seconds = 0.0
    answer: Seconds = 0.0
    connected: Seconds = 0.0
    started: Seconds = 0.0
    ticket: Seconds = 0.0
    still: Seconds = 0.0


class LimitsTable(_Table, frozen=True):
    """Limits in seconds: of a view, of a view that was not activated, and between pings (in real time)."""

    view: Positive = 600.0
    activation: Positive = 70.0
    ping_interval: Positive = 10.0


class PartnerTable(_Table, frozen=True):
    """Of the Partner API, in seconds: lives of tokens and addresses, views, when footage is ready; and the limit."""

    access_life: Positive = 14_400.0
    refresh_life: Annotated[float, msgspec.Meta(gt=0, le=1_000_000_000)] = 2_592_000.0
    address_life: Positive = 900.0
    view_battery: Positive = 30.0
    view_line: Positive = 60.0
    media_lag: Seconds = 2.0
    calls_per_second: Number = 100


class CameraTable(_Table, frozen=True):
    """A camera in place of the usual three. `battery` is a percentage; without it the camera is wired."""

    id: Number
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    kind: str = "stickup_cam_wired"
    h264: Literal["baseline", "main", "high"] = "main"
    battery: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    pan_and_tilt: bool = False


class Moment(_Table, frozen=True):
    """Something that happens.

    Attributes:
        seconds: When, from the start of the scenario.
        on: Switches that go on.
        off: Switches that go off.
        only: The switches that are on from now, all others off; `None` leaves them.
        bell: The camera whose bell is pressed.
        motion: The camera that sees somebody walk past.
        reason: A number with which all views are closed.
        socket: A code with which all sockets are closed.
        cut: Whether all connections are cut, without a close frame.
        text: What goes with `reason` or `socket`.
    """

    seconds: Seconds
    on: Names = ()
    off: Names = ()
    only: Names | None = None
    bell: int | None = None
    motion: int | None = None
    reason: int | None = None
    socket: Annotated[int, msgspec.Meta(ge=1000, le=4999)] | None = None
    cut: bool = False
    text: Annotated[str, msgspec.Meta(max_length=200)] = ""


class InTurn(_Table, frozen=True):
    """One switch after the other, round and round: `seconds` on, `pause` with none. No switches means all."""

    seconds: Positive
    pause: Seconds = 0.0
    switches: Names = ()


class Scenario(_Table, frozen=True):
    """A whole scenario.

    Attributes:
        title: For people, in a few words.
        about: What is to be seen.
        seed: Begins all chance; `None` is another one each time.
        profile: Whose Ring it is.
        speed: How many seconds of it pass in one second.
        jitter: By what part delays may be longer or shorter.
        expect: The fault that somebody sees in the end who watches from the start; empty where video plays.
        on: Switches that are on from the start.
        repeat: Seconds after which the timeline begins again; `None` plays it once.
        delays: How long phases take.
        limits: When Ring ends a view.
        partner: What there is to set of the Partner API.
        cameras: In place of the usual three.
        at: The timeline.
        in_turn: Switches one after the other, in place of a timeline.
    """

    title: Annotated[str, msgspec.Meta(min_length=1)]
    about: str = ""
    seed: int | None = None
    profile: str = "observed"
    speed: Positive = 1.0
    jitter: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    expect: str = ""
    on: Names = ()
    repeat: Positive | None = None
    delays: DelaysTable = DelaysTable()
    limits: LimitsTable = LimitsTable()
    partner: PartnerTable = PartnerTable()
    cameras: tuple[CameraTable, ...] = ()
    at: tuple[Moment, ...] = ()
    in_turn: InTurn | None = None

    def moments(self) -> Iterator[tuple[float, Moment]]:
        """Yield what happens and when, in order; without end where it repeats. Seconds are the scenario's."""
        timeline, repeat = self._timeline()
        if not timeline:
            return
        begun = 0.0
        while True:
            for moment in timeline:
                yield begun + moment.seconds, moment
            if repeat is None:
                return
            begun += repeat

    def _timeline(self) -> tuple[list[Moment], float | None]:
        if self.in_turn is None:
            return sorted(self.at, key=lambda moment: moment.seconds), self.repeat
        names = self.in_turn.switches or tuple(SWITCHES)
        each = self.in_turn.seconds + self.in_turn.pause
        timeline = []
        for index, name in enumerate(names):
            timeline.append(Moment(seconds=index * each, only=(name,)))
            if self.in_turn.pause:
                timeline.append(Moment(seconds=index * each + self.in_turn.seconds, only=()))
        return timeline, each * len(names)


def parse_scenario(text: str, name: str) -> Scenario:
    """Read a scenario file.

    Args:
        text: What is in it.
        name: Of the file, for the complaint.

    Raises:
        SetupError: CFG-INVALID, naming the line and the field.
    """
    try:
        tables = tomllib.loads(text)
    except ValueError as error:  # a number of more digits than Python reads is one that is not the library's own
        raise fault_error("CFG-INVALID", f"{name}: {error}") from None
    except RecursionError:
        raise fault_error("CFG-INVALID", f"{name}: nested too deeply") from None
    try:
        scenario = msgspec.convert(tables, Scenario)
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `$")
        raise _complaint(text, name, path.rstrip("`").lstrip("."), said) from None
    for path, said in _mistakes(scenario):
        raise _complaint(text, name, path, said)
    return scenario


def _mistakes(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Yield what types alone do not say: the field, and what is wrong with it."""
    if scenario.profile not in PROFILES:
        yield "profile", f"no profile {scenario.profile!r}; there are {', '.join(PROFILES)}"
    if scenario.expect and scenario.expect not in FAULTS:
        yield "expect", f"no fault {scenario.expect!r} in the catalogue"
    yield from _unknown_switches("on", scenario.on)
    numbers = [camera.id for camera in scenario.cameras]
    if len(set(numbers)) < len(numbers):
        yield "cameras", "two cameras have the same id"
    if scenario.in_turn is not None:
        yield from _unknown_switches("in_turn.switches", scenario.in_turn.switches)
        if scenario.at or scenario.repeat:
            yield "in_turn", "goes without [[at]] and repeat"
    for index, moment in enumerate(scenario.at):
        yield from _mistakes_at(f"at[{index}]", moment, scenario)


def _mistakes_at(path: str, moment: Moment, scenario: Scenario) -> Iterator[tuple[str, str]]:
    for field, names in (("on", moment.on), ("off", moment.off), ("only", moment.only or ())):
        yield from _unknown_switches(f"{path}.{field}", names)
    ends = moment.reason is not None, moment.socket is not None, moment.cut
    events = moment.bell is not None, moment.motion is not None
    if not (moment.on or moment.off or moment.only is not None or any(ends) or any(events)):
        yield path, "nothing happens then: on, off, only, bell, motion, reason, socket or cut is wanted"
    if sum(ends) > 1:
        yield path, "only one of reason, socket and cut can be"
    if moment.text and not (ends[0] or ends[1]):
        yield f"{path}.text", "goes with reason or socket only"
    if moment.socket in _NO_CLOSE_CODES:
        yield f"{path}.socket", f"{moment.socket} is never sent in a close frame"
    if scenario.repeat is not None and moment.seconds >= scenario.repeat:
        yield f"{path}.seconds", f"comes after the timeline begins again at {scenario.repeat:g} s"
    known = {camera.id for camera in scenario.cameras or CAMERAS}
    for field, number in (("bell", moment.bell), ("motion", moment.motion)):
        if number is not None and number not in known:
            yield f"{path}.{field}", f"no camera {number} in this scenario"


def _unknown_switches(path: str, names: Names) -> Iterator[tuple[str, str]]:
    yield from ((path, f"no switch {name!r}") for name in names if name not in ALL_SWITCHES)


def _complaint(text: str, name: str, path: str, said: str) -> RingError:
    line = _line_of(text, path, said)
    where = ", ".join(part for part in (f"line {line}" if line else "", path) if part)
    return fault_error("CFG-INVALID", f"{name}: {where}: {said}" if where else f"{name}: {said}")


_HEADER = re.compile(r"\s*\[+\s*(\w+)\s*\]+\s*(#.*)?")


def _line_of(text: str, path: str, said: str) -> int | None:
    """Find the line of a field such as `at[2].seconds`; of its table, where the field itself is missing."""
    parts = re.findall(r"(\w+)(?:\[(\d+)\])?", path)
    named = re.search(r"unknown field `(\w+)`", said)
    keys = [name for name, _ in parts] + ([named[1]] if named else [])
    if not keys:
        return None
    wanted = keys[0], int(parts[0][1] or 0) if parts else 0
    tables: dict[str, int] = {}
    table, best = ("", 0), None
    for number, line in enumerate(text.split("\n"), 1):
        header = _HEADER.fullmatch(line)
        if header:
            table = header[1], tables.get(header[1], -1) + 1
            tables[header[1]] = table[1]
            best = number if table == wanted else best
        key = re.match(r"\s*\"?(\w+)\"?\s*=", line)
        if key and ((table == wanted and key[1] in keys[1:]) or (table[0] == "" and key[1] == keys[0])):
            return number
    return best
