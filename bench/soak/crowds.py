"""Those who use a server for long: viewers, people in rooms, Ring with its webhooks, and who records."""

import asyncio
import contextlib
import io
import itertools
import random
import sqlite3
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import av
import httpx2
from media.audience import Audience
from media.watcher import Watcher

from coming_back import ComingBack
from ringlight.simulator.partner.deliveries import sign
from ringlight.simulator.partner.envelope import envelope
from soak.judge import Counts

CAMERAS = ("front-door", "back-yard", "driveway")
KEY = "soak-key"
NO_PICTURE = 60.0  # seconds without any after which a viewer counts as lost: Ring's faults last less
RECORDED = 4.0  # seconds of each recording


async def watch(audience: Audience, counts: Counts, chance: random.Random, until: float, *, viewers: int) -> None:
    """Keep so many viewers there; at times one leaves, in order or by vanishing, and another comes."""
    seen: dict[Watcher, float] = {}

    async def join() -> None:
        try:
            watcher, _ = await audience.join(chance.randrange(len(CAMERAS)))
        except (TimeoutError, httpx2.HTTPError, RuntimeError):  # a fault is on; the page would say which
            counts.add("viewers refused")
            await asyncio.sleep(1)
            return
        counts.add("viewers")
        audience.watchers.append(watcher)
        seen[watcher] = time.monotonic()

    async def leave(watcher: Watcher, *, in_order: bool) -> None:
        audience.watchers.remove(watcher)
        seen.pop(watcher)
        if in_order:
            with contextlib.suppress(httpx2.HTTPError):
                await audience.leave(watcher)
            watcher.close()
        else:
            watcher.socket.close()  # as a laptop that is shut

    while time.monotonic() < until:
        if len(audience.watchers) < viewers:
            await join()
        for watcher in list(seen):
            if watcher.frames:
                counts.add("frames", len(watcher.frames))
                watcher.frames.clear()
                seen[watcher] = time.monotonic()
            if watcher.closed:
                counts.add("viewers sent away")
                await leave(watcher, in_order=True)
            elif time.monotonic() - seen[watcher] > NO_PICTURE:
                counts.lose(f"a viewer of {CAMERAS[watcher.camera]} had no picture for {NO_PICTURE:g} s")
                await leave(watcher, in_order=True)
        if seen and chance.random() < 0.05:
            await leave(chance.choice(list(seen)), in_order=chance.random() < 0.7)
        await asyncio.sleep(0.3)
    for watcher in list(seen):
        await leave(watcher, in_order=True)


async def talk(
    urls: Callable[[], list[str]], counts: Counts, chance: random.Random, until: float, room: str, *, words: int
) -> None:
    """Let two people talk in one room after another."""
    for number in itertools.count():
        if time.monotonic() >= until:
            return
        try:
            await _visit(urls, counts, chance, until, f"{room}-{number}", words=words)
        except (AssertionError, TimeoutError) as error:  # what ComingBack says of a session or a number that is gone
            counts.lose(f"room {room}-{number}: {error!r}")


async def _visit(
    urls: Callable[[], list[str]], counts: Counts, chance: random.Random, until: float, room: str, *, words: int
) -> None:
    """Two people in a room, each of whom must hear each word of the other once and in order."""
    async with (
        ComingBack(urls, room=room, role="doctor") as one,
        ComingBack(urls, room=room, role="doctor") as other,
    ):
        await one.until(lambda: bool(one.others))
        said = 0
        while said < words and time.monotonic() < until:
            await one.say(f"one {said}")
            await other.say(f"other {said}")
            said += 1
            if chance.random() < 0.03:
                chance.choice((one, other)).drop()
                counts.add("room sockets cut")
            await asyncio.sleep(0.2)
        await _heard_all(counts, f"{room}, the other", said, other, one)
        await _heard_all(counts, f"{room}, the one", said, one, other)
    counts.add("words", 2 * said)
    counts.add("rooms")


async def _heard_all(counts: Counts, where: str, said: int, speaker: ComingBack, listener: ComingBack) -> None:
    with contextlib.suppress(TimeoutError):
        await speaker.answered()
        await listener.until(lambda: len(listener.heard) >= said)
    if [int(word.rpartition(" ")[2]) for word in listener.heard] != list(range(said)):
        counts.lose(f"room {where}: of {said} words, {len(listener.heard)} were heard")


class Ring:
    """Sends webhooks as Ring does: again until one is answered 200."""

    def __init__(self, url: str, database: Path, counts: Counts) -> None:
        self._url, self._database, self._counts = url, database, counts
        self._accepted: set[str] = set()
        self._handled: set[str] = set()

    async def send(self, chance: random.Random, until: float, *, rate: float) -> None:
        async with httpx2.AsyncClient(timeout=5, trust_env=False) as http, asyncio.TaskGroup() as group:
            while time.monotonic() < until:
                group.create_task(self._deliver(http, twice=chance.random() < 0.1, device=chance.randrange(20)))
                await asyncio.sleep(1 / rate)

    async def _deliver(self, http: httpx2.AsyncClient, *, twice: bool, device: int) -> None:
        name = str(uuid.uuid4())
        body = envelope(
            "motion_detected", request_id=name, account="a", device=f"d-{device}", at_ns=time.time_ns(), subtype="human"
        )
        headers = {"Content-Type": "application/json", "X-Signature": sign(body, KEY)}
        answers = 0
        for _ in range(200):
            status = 0
            with contextlib.suppress(httpx2.HTTPError):
                status = (await http.post(f"{self._url}/ring/webhook", content=body, headers=headers)).status_code
            self._counts.add(f"webhooks answered {status or 'not at all'}")
            answers += status == 200
            if answers > twice:
                self._accepted.add(name)
                return
            await asyncio.sleep(0.05 if status == 200 else 1.0)
        self._counts.lose(f"webhook {name} was never taken")

    def look(self) -> None:
        """Read what has been handled, which is swept away by and by, and how many rows each table has."""
        with contextlib.closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=10)) as connection:
            rows = connection.execute("SELECT request_id, state, count(*) FROM webhook_inbox GROUP BY 1, 2").fetchall()
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            counted = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}
        self._counts.rows.append((self._counts.clock(), counted))
        for name, state, count in rows:
            if state == "done":
                self._handled.add(name)
            if state == "dead" or count > 1:
                self._counts.lose(f"webhook {name} is {state}, {count} times")

    async def settled(self) -> None:
        """Wait until all that was accepted has been handled, and name what was not."""
        for _ in range(60):
            await asyncio.to_thread(self.look)
            if self._accepted <= self._handled:
                break
            await asyncio.sleep(0.5)
        self._counts.add("webhooks handled", len(self._handled))
        for name in self._accepted - self._handled:
            self._counts.lose(f"webhook {name} was accepted, never handled")


async def record(url: str, counts: Counts, chance: random.Random, until: float) -> None:
    """Record one camera after another; what was begun has to end, and play."""
    async with httpx2.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
        while time.monotonic() < until:
            address = f"/api/cameras/{chance.choice(CAMERAS)}/recordings"
            try:
                begun = await http.post(address, json={"seconds": RECORDED})
            except httpx2.HTTPError:
                continue
            if begun.status_code != 201:
                counts.add("recordings refused")
                await asyncio.sleep(1)
                continue
            counts.add("recordings")
            problem = await _recorded(http, begun.headers["Location"], counts, keep=chance.random() < 0.5)
            if problem:
                counts.lose(f"recording {begun.headers['Location']}: {problem}")
            await asyncio.sleep(chance.uniform(0, 5))


async def _recorded(http: httpx2.AsyncClient, address: str, counts: Counts, *, keep: bool) -> str | None:
    seen: dict[str, object] = {"status": "recording"}
    for _ in range(240):
        with contextlib.suppress(httpx2.HTTPError, ValueError):
            answer = await http.get(address)
            if answer.status_code == 200 and (seen := answer.json()).get("status") != "recording":
                break
        await asyncio.sleep(0.5)
    fault = seen.get("fault")
    if isinstance(fault, dict):
        counts.add(f"recordings cut by {fault['code']}")
    elif seen.get("status") != "done":
        return f"it is {seen}"
    elif float(str(seen["seconds"])) < RECORDED - 0.5:
        return f"{seen['seconds']} s of {RECORDED:g}"
    files = seen["files"]
    assert isinstance(files, list)
    pictures = 0
    for file in files:
        body = await _fetched(http, file)
        if body is None:
            return f"{file} cannot be fetched"
        pictures += await asyncio.to_thread(_pictures, body)
    if not pictures and not fault:
        return "no picture in it"
    if not keep:
        with contextlib.suppress(httpx2.HTTPError):
            await http.delete(address)
    return None


async def _fetched(http: httpx2.AsyncClient, address: str) -> bytes | None:
    """Fetch a file; while Ring does not say which cameras there are, the server does not either."""
    for _ in range(60):
        with contextlib.suppress(httpx2.HTTPError):
            answer = await http.get(address)
            if answer.status_code == 200:
                return answer.content
        await asyncio.sleep(1)
    return None


def _pictures(body: bytes) -> int:
    with av.open(io.BytesIO(body), "r") as film:
        return len(list(film.demux(video=0)))
