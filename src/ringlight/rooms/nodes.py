"""Rooms that several servers share over Redis: the porter of one of them, and its connection."""

import asyncio
import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from importlib import resources
from typing import TYPE_CHECKING, Any

from ringlight.errors import RingError
from ringlight.http.redis import redis_client, redis_package
from ringlight.http.trust import distrust_in
from ringlight.rooms.address import judge_room_id
from ringlight.rooms.copies import Cut, Present, Read, Recalled
from ringlight.rooms.events import NODE_SHIFT, Keep, Leave, Load, Make, Recall, Shared, Unreadable, Write
from ringlight.rooms.ledger import read_entry
from ringlight.rooms.porter import Porter
from ringlight.rooms.registry import RoomTaken
from ringlight.rooms.room import Room
from ringlight.rooms.shared_house import SharedHouse
from ringlight.rooms.shared_keys import (
    PREFIX,
    PRESENT,
    channel_of,
    is_spoilt,
    keys_of,
    name_of,
    read_loaded,
    read_signs,
)
from ringlight.secrets import Secret

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

__all__ = ["SharedPorter", "new_node"]

log = logging.getLogger("ringlight.rooms")
PATIENCE = 2.0  # seconds for Redis to answer; then this node goes on alone
LOOK_EVERY = 1.0  # seconds between two signs of life of a node
PRESENT_FOR = 3000  # milliseconds that each counts
AGAIN = 0.5  # seconds between two tries to reach Redis
FLUSH = 1.0  # seconds that what is written last may take when the server stops
FIND_WITHIN = 3.0  # seconds for a room to be read
SAID_EVERY = 60.0  # seconds between two lines of the log about the same room


def new_node() -> int:
    """Return a number for a node: by chance, so that none has to be given out."""
    return secrets.randbelow(2**31 - 1) + 1


class SharedPorter(Porter):
    """Feeds the shared house, with what Redis brings as well, and writes what it returns.

    Before `running`, and whenever Redis is away, its rooms are those of a server that is alone.

    Args:
        house: Of this node.
        clock: Seconds since 1970, which never go back.
        url: `redis://…`, `rediss://…` or `unix://…`.

    Raises:
        SetupError: CFG-DEPENDENCY, the extra `redis` is not installed; CFG-INVALID, the address is none.
    """

    house: SharedHouse

    def __init__(self, house: SharedHouse, clock: Callable[[], float], url: Secret) -> None:
        super().__init__(house, clock)
        self._number = house.node << NODE_SHIFT
        self._url = url
        self._redis = redis_package()
        self._client(PATIENCE)  # judges the address
        self._asked: deque[Load | Write | Keep | Leave] = deque()
        self._stirred, self._quiet = asyncio.Event(), asyncio.Event()
        self._quiet.set()  # nothing is asked for that was not done
        self._changed: list[asyncio.Future[None]] = []
        self._recalling: set[asyncio.Future[None]] = set()
        self._rooms: dict[bytes, str] = {}  # which are followed, by their channels
        self._stretch = 0  # counts our connections to Redis
        self._complained: dict[str, float] = {}  # about which rooms, and when

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Share the rooms inside of the `async with`; those that there are already are brought along."""
        task = asyncio.create_task(self._run(), name="rooms: redis")
        await self._until(lambda: not self.house.alone)
        try:
            yield
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH):
                    await self._quiet.wait()
            task.cancel()
            await asyncio.wait({task})

    # What others ask

    async def find(self, room_id: str) -> Room:
        """Return a room, as it is on all nodes."""
        if self.house.alone and room_id not in self.house.rooms:
            await self._recall(room_id)
        self.perform(self.house.follow(room_id))
        await self._until(lambda: self.house.is_settled(room_id))
        return self.house.room(room_id)

    async def make(self, room_id: str | None = None, **options: Any) -> Room:
        """Make a room on purpose, for all nodes."""
        name = judge_room_id(room_id) if room_id is not None else f"r_{secrets.token_urlsafe(12)}"
        self.perform(self.house.follow(name))
        await self._until(lambda: self.house.is_settled(name))
        self.house.need_readable(name)
        if name in self.house.rooms:
            raise RoomTaken
        wanted = {key: value if value is not None else {} for key, value in options.items() if key == "cameras"}
        made = Make(**{**options, **wanted, "consent": frozenset(options.get("consent", ()))})
        self.perform(self.house.happen(name, made, self.now))
        await self._until(lambda: name in self.house.rooms)
        return self.house.room(name)

    def more(self, action: Shared) -> None:
        """Keep what is asked of Redis, until the task that talks to it comes to it; ask the database at once."""
        if isinstance(action, Recall):
            task = asyncio.ensure_future(self._recall(action.room))
            self._recalling.add(task)
            task.add_done_callback(self._recalling.discard)
            return
        if isinstance(action, Unreadable):
            self._tell_unreadable(action)
            return
        self._asked.append(action)
        self._stirred.set()
        self._quiet.clear()

    def _tell_unreadable(self, action: Unreadable) -> None:
        name, now = name_of(action.room), time.monotonic()
        if now >= self._complained.get(name, float("-inf")) + SAID_EVERY:
            self._complained[name] = now
            head, entries, whole = keys_of(action.room)
            log.error(
                "rooms: %s of Redis cannot be read (%s), so nobody enters that room: let all servers be of one "
                "version, or delete %s, %s and %s; then it begins anew",
                name, action.why, head, entries, whole,
            )  # fmt: skip

    async def _recall(self, room_id: str) -> None:
        made = None
        if self.recall is not None:
            try:
                made = await self.recall(room_id)
            except RingError as error:  # a visit does not wait for the database
                log.warning("rooms: a room could not be looked for (%s)", error.code)
        self.feed(Recalled(room_id, made))

    def feed(self, event: Any) -> None:
        """Tell the house what happened, and whoever waits that something did."""
        super().feed(event)
        waiting, self._changed = self._changed, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIND_WITHIN):
                while not is_so():
                    change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._changed.append(change)
                    await change

    # Redis

    def _client(self, patience: float | None) -> "Redis":
        return redis_client(self._url, patience, connect=PATIENCE)

    async def _run(self) -> None:
        """Talk to Redis for ever; while it is away, this node is alone."""
        away = (self._redis.RedisError, OSError, TimeoutError, EOFError)
        while True:
            try:
                async with self._client(PATIENCE) as commands, self._client(None) as listening:
                    await self._talk(commands, listening.pubsub())
            except* away as errors:
                if not self.house.alone:
                    why = distrust_in(errors) or type(errors.exceptions[0]).__name__
                    log.warning("rooms: Redis does not answer (%s); alone", why)
            self._asked.clear()
            self._quiet.set()
            self._rooms.clear()
            self.feed(Cut())
            await asyncio.sleep(AGAIN)

    async def _talk(self, commands: "Redis", pubsub: "PubSub") -> None:
        ledger = await commands.script_load(_script("ledger"))
        present = await commands.script_load(_script("present"))
        await pubsub.connect()  # type: ignore[no-untyped-call]
        await pubsub.subscribe(f"{PREFIX}:nodes")  # one may not listen to nothing
        self._stretch += 1
        await self._look(commands, present)
        log.info("rooms: shared over Redis")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(pubsub))
                tasks.create_task(self._write(commands, ledger, pubsub))
                tasks.create_task(self._look_again(commands, present))
        except asyncio.CancelledError:  # the server stops: others need not wait to see that we are gone
            with contextlib.suppress(self._redis.RedisError, OSError):
                await commands.evalsha(present, 1, PRESENT, str(self.house.node), "0", "")
            raise
        finally:
            await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _look(self, commands: "Redis", script: str) -> None:
        node = str(self.house.node)
        found = await commands.evalsha(script, 1, PRESENT, node, str(PRESENT_FOR), str(self._stretch))
        self.feed(Present(read_signs(found)))

    async def _look_again(self, commands: "Redis", script: str) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self._look(commands, script)

    async def _listen(self, pubsub: "PubSub") -> None:
        """Read entries as they come."""
        while True:
            message = await pubsub.get_message(timeout=None)
            if message is None:
                continue
            room = self._rooms.get(message["channel"])
            if room is None:
                continue
            if message["type"] == "subscribe":
                self._asked.append(Load(room))  # from here on nothing is missed
                self._stirred.set()
            elif message["type"] == "message":
                entry = read_entry(message["data"])
                if entry is None:  # another program's; were it a damaged one of ours, the next tells that it is missing
                    log.warning("rooms: what was published for a room is no entry of its ledger")
                    continue
                self.feed(Read(room, entry))

    async def _write(self, commands: "Redis", script: str, pubsub: "PubSub") -> None:
        """Do what is asked for, all that there is at a time."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            questions: list[tuple[str, list[str | bytes]]] = []
            while self._asked:
                questions += await self._question(self._asked.popleft(), pubsub)
            if questions:
                pipe = commands.pipeline(transaction=False)
                for room, arguments in questions:
                    pipe.evalsha(script, 3, *keys_of(room), *arguments)
                answers = await pipe.execute(raise_on_error=False)
                for (room, arguments), answer in zip(questions, answers, strict=True):
                    if isinstance(answer, Exception):
                        if not is_spoilt(answer):
                            raise answer
                        self.feed(Unreadable(room, "its keys are of another kind"))
                    elif arguments[0] == "load":
                        self.feed(read_loaded(room, answer))
            if not self._asked:
                self._quiet.set()

    async def _question(
        self, asked: Load | Write | Keep | Leave, pubsub: "PubSub"
    ) -> list[tuple[str, list[str | bytes]]]:
        """Return what the ledger's script is asked, after this room was listened to or left."""
        channel, arguments = channel_of(asked.room), list[str | bytes]()
        match asked:
            case Load() if channel.encode() in self._rooms:
                arguments = ["load", asked.epoch, str(asked.number)]
            case Load():
                self._rooms[channel.encode()] = asked.room
                await pubsub.subscribe(channel)
            case Write():
                node, serial = str(self.house.node), str(asked.serial)
                chance, lasts = secrets.token_hex(8), f"{asked.lasts:.0f}"
                arguments = ["write", node, serial, asked.body, chance, channel, lasts]
            case Keep():
                arguments = ["keep", asked.epoch, str(asked.number), asked.whole, f"{asked.lasts:.0f}"]
            case Leave():
                if self._rooms.pop(channel.encode(), None) is not None:
                    await pubsub.unsubscribe(channel)
                if asked.forget is not None:
                    arguments = ["forget", asked.epoch, str(asked.forget)]
        return [(asked.room, arguments)] if arguments else []


def _script(name: str) -> str:
    return resources.files("ringlight.rooms").joinpath(f"{name}.lua").read_text(encoding="utf-8")
