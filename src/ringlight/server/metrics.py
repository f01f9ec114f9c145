"""What the server counts, for Prometheus: what happens in rooms, and who is there while it is asked."""

import asyncio
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ringlight.faults import FAULTS
from ringlight.rooms.events import Note
from ringlight.server.places import Places
from ringlight.server.playback import Playbacks
from ringlight.server.recordings import Recordings
from ringlight.server.retention import Retention
from ringlight.server.room_server import RoomServer

__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]

WAITS = (1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)  # seconds before a door
CONNECTS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30)  # seconds from being let in to the first picture
RELAYS = (2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 5e-3, 2.5e-2)  # seconds from socket to sockets
STARTS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30)  # seconds from a viewer's offer to the answer
WORDS = ("good", "fair", "poor")  # others that a page may find are one: whoever says them must not make series
_LOST = ("network", "slow", "silent")


class Metrics:
    """The counters of one server. Labels are bound beforehand: what happens often only adds.

    Args:
        rooms: Whose notes are counted.
        playbacks: The viewers.
        places: Of players by RTSP and over HTTP.
        recordings: Those that run.
        retention: What it has removed; `None` where nothing is.
    """

    def __init__(
        self,
        rooms: RoomServer,
        playbacks: Playbacks,
        places: Places,
        recordings: Recordings,
        retention: Retention | None = None,
    ) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(_Now(rooms, playbacks, places, recordings, retention))
        self._starts = Counter(
            "ringlight_view_starts", "Viewers' offers, by outcome: `ok`, or the fault's code.", ["outcome"],
            registry=registry,
        )  # fmt: skip
        self._starts.labels("ok")  # a rate needs a first value
        self._start_times = Histogram(
            "ringlight_view_start_seconds", "From a viewer's offer to the answer, the camera's opening included.",
            buckets=STARTS, registry=registry,
        )  # fmt: skip
        playbacks.hearers.append(self.started)
        joins = Counter("ringlight_room_joins", "Attempts to enter, by outcome.", ["outcome"], registry=registry)
        # A code of the catalogue, or one of these; `ok` came in or waits, `again` took over from an older page.
        self._joins = {name: joins.labels(name) for name in ("ok", "again", *_codes())}
        resumes = Counter("ringlight_room_resumes", "Connections that came back.", ["result"], registry=registry)
        self._resumed, self._resume_failed = resumes.labels("ok"), resumes.labels("failed")
        drops = Counter("ringlight_room_drops", "Connections that broke.", ["reason"], registry=registry)
        self._drops = {name: drops.labels(name) for name in _LOST}
        quality = Counter("ringlight_room_quality", "Changes of a call's quality.", ["words"], registry=registry)
        self._quality = {name: quality.labels(name) for name in (*WORDS, "other")}
        self._waits = Histogram(
            "ringlight_room_lobby_wait_seconds", "From knocking to being let in.", buckets=WAITS, registry=registry
        )
        self._connects = Histogram(
            "ringlight_room_connect_seconds", "From being let in to the first picture or sound, as pages report it.",
            buckets=CONNECTS, registry=registry,
        )  # fmt: skip
        self._relays = Histogram(
            "ringlight_room_relay_seconds", "From a frame of one socket to those of others; one of 64 is timed.",
            buckets=RELAYS, registry=registry,
        )  # fmt: skip
        rooms.porter.hearers.append(self.hear)
        rooms.porter.timed = self._relays.observe

    def shown(self) -> bytes:
        """Return all of them, in the text format of Prometheus."""
        return generate_latest(self._registry)

    def started(self, code: str | None, seconds: float) -> None:
        """Count a viewer's offer that was answered; `code` says why not."""
        self._starts.labels(code or "ok").inc()
        if code is None:
            self._start_times.observe(seconds)

    def hear(self, note: Note) -> None:
        """Count what happened."""
        match note.what:
            case "waiting":
                self._joins["ok"].inc()
            case "entered" if note.detail != "admitted":  # who was let in has waited, and was counted then
                self._joins["ok"].inc()
            case "came_back":
                self._joins["again"].inc()
            case "refused":
                _add(self._joins, note.detail)
            case "admitted":
                self._waits.observe(note.figures["seconds"])
            case "resumed":
                self._resumed.inc()
            case "resume_failed":
                self._resume_failed.inc()
            case "lost":
                _add(self._drops, note.detail)
            case "quality":
                self._quality[note.detail if note.detail in WORDS else "other"].inc()
            case "connected":
                self._connects.observe(note.figures["seconds"])


class _Now(Collector):
    """What is counted when somebody asks, and costs nothing until then."""

    def __init__(
        self,
        rooms: RoomServer,
        playbacks: Playbacks,
        places: Places,
        recordings: Recordings,
        retention: Retention | None,
    ) -> None:
        self._rooms, self._playbacks = rooms, playbacks
        self._places, self._recordings = places, recordings
        self._retention = retention
        self._loop = asyncio.get_running_loop()

    def collect(self) -> Iterator[Metric]:
        """Count."""
        house, record = self._rooms.porter.house, self._rooms.record
        states = GaugeMetricFamily("ringlight_rooms", "Rooms, by state.", labels=["state"])
        people = GaugeMetricFamily("ringlight_room_people", "People, inside or waiting.", labels=["where"])
        counted = dict.fromkeys(("waiting", "active", "ended"), 0)
        inside = everybody = 0
        for room in list(house.rooms.values()):
            counted[room.state] += 1
            inside, everybody = inside + room.inside_count, everybody + len(room.people)
        for state, count in counted.items():
            states.add_metric([state], count)
        people.add_metric(["inside"], inside)
        people.add_metric(["waiting"], everybody - inside)
        yield states
        yield people
        for name, about, value in (
            ("ringlight_room_sockets", "Open sockets of rooms.", self._rooms.porter.open_sockets),
            ("ringlight_room_record_behind", "1 while the database is too slow for the record.", record.is_behind),
            ("ringlight_room_record_lost", "Changes that could not be written down.", record.lost),
            ("ringlight_room_record_waiting", "Changes that are not written down yet.", record.waiting),
            ("ringlight_draining", "1 once the server is about to stop.", self._rooms.is_leaving),
            ("ringlight_players", "Players by RTSP and over HTTP.", self._places.taken),
            ("ringlight_recordings", "Recordings over the API that run.", self._recordings.running),
            ("ringlight_viewers", "Viewers of cameras over WebRTC.", len(self._playbacks)),
            ("ringlight_cameras_watched", "Cameras that they watch.", self._playbacks.watched),
            ("ringlight_tasks", "Tasks of the event loop.", len(asyncio.all_tasks(self._loop))),
        ):
            yield GaugeMetricFamily(name, about, value=float(value))
        if self._retention is not None:
            removed = CounterMetricFamily(
                "ringlight_retention_removed", "Removed as too old or too much.", labels=["what"]
            )
            for what, count in self._retention.removed.items():
                removed.add_metric([what], count)
            held = self._retention.problem is not None
            yield removed
            yield GaugeMetricFamily("ringlight_retention_held", "1 while something keeps it from removing.", value=held)


def _add(counters: dict[str, Counter], name: str) -> None:
    if (counter := counters.get(name)) is not None:  # a counter is no reason to fail
        counter.inc()


def _codes() -> list[str]:
    return [code for code in FAULTS if code.startswith("ROOM-")]
