"""The leases of cameras over Redis: what `leases.py` decides, `leases.lua` does. Here are the clock and the wire."""

import asyncio
import contextlib
import hashlib
import itertools
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from ringlight.errors import RingError, fault_error
from ringlight.http.redis import redis_client, redis_package
from ringlight.http.trust import distrust_in
from ringlight.nodes.leases import (
    LASTS,
    Action,
    Beat,
    Beaten,
    Claim,
    Claimed,
    Cut,
    Drop,
    End,
    Event,
    Holder,
    Leases,
    Leave,
    Open,
    Refuse,
    Release,
    Tell,
    Tick,
    Want,
)
from ringlight.secrets import Secret

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["CameraLeases", "Lease"]

log = logging.getLogger("ringlight.nodes")
PREFIX = "ringlight:{cameras}:1"  # another number where older servers cannot read it any more
PATIENCE = 1.0  # seconds for Redis to answer
CLOSING = 3.0  # seconds that views get to take leave of Ring where the server stops
FIRST_LOOK = 2.0  # seconds that the start of the server waits for Redis
_KEYS = [f"{PREFIX}:{name}" for name in ("holders", "nodes", "addresses")]


class Lease:
    """A camera that this node may open; give it back with `release`.

    Attributes:
        token: Rises with each giving of the camera; 0 where Redis was not asked.
    """

    def __init__(self, leases: "CameraLeases", number: int, token: int) -> None:
        self._leases, self._number = leases, number
        self.token = token
        self.over: asyncio.Future[RingError] = asyncio.get_running_loop().create_future()

    async def lost(self) -> RingError:
        """Wait until this node may not show the camera any more; return why."""
        return await asyncio.shield(self.over)

    def release(self) -> None:
        """Give it back."""
        self._leases.drop(self._number)


class CameraLeases:
    """What this node holds, and who holds the rest.

    Args:
        url: Of Redis.
        address: Where viewers find this node, without a slash at the end.
        alone_for: Seconds that it goes on without Redis; see `Leases`.

    Attributes:
        node: Its number, as text: by chance, so that none has to be given out.
        address: As it was given.

    Raises:
        SetupError: CFG-DEPENDENCY or CFG-INVALID.
    """

    def __init__(self, url: Secret, address: str, *, alone_for: float) -> None:
        self.node = secrets.token_hex(6)
        self.address = address
        package = redis_package()
        self._away = (package.RedisError, OSError, TimeoutError)
        self._redis: Redis = redis_client(url, PATIENCE, connect=PATIENCE, decode=True)
        self._script = self._redis.register_script(
            resources.files("ringlight.nodes").joinpath("leases.lua").read_text(encoding="utf-8")
        )
        self._loop = asyncio.get_running_loop()
        self._rules = Leases(alone_for=alone_for, now=self._loop.time())
        self._numbers = itertools.count(1)
        self._asking: dict[int, asyncio.Future[Lease]] = {}
        self._open: dict[int, Lease] = {}
        self._out: set[int] = set()  # leases that were not given back yet; their views may still be closing
        self._distrust: str | None = None  # why Redis's certificate was not accepted at the last try
        self._names: dict[str, str] = {}  # of cameras, by what they are called in Redis
        self._tasks: set[asyncio.Task[None]] = set()
        self._stirred = asyncio.Event()
        self._all_in = asyncio.Event()
        self._all_in.set()
        self._answered = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Be one of several nodes inside of the `async with`."""
        running = asyncio.create_task(self._run(), name="leases of cameras")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_LOOK):
                await self._answered.wait()
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait({running})
            self._feed(Leave())
            if self._tasks:
                await asyncio.wait(self._tasks)
            with contextlib.suppress(*self._away):
                await self._ask("leave")
            with contextlib.suppress(*self._away):
                await self._redis.aclose()

    @property
    def is_alone(self) -> bool:
        """Whether Redis is out of reach."""
        return self._rules.alone

    @property
    def problems(self) -> Sequence[RingError]:
        """What people should know of it."""
        if not self.is_alone:
            return ()
        alone = fault_error("NODE-ALONE")
        return (alone,) if self._distrust is None else (fault_error("STORE-CERTIFICATE", self._distrust), alone)

    def as_dict(self) -> dict[str, Any]:
        """Return the nodes and what each holds, as far as this one knows, as JSON."""
        held = {self._names.get(name, name): (self.node, token) for name, token in self._rules.held.items()}
        others = {self._names.get(name, name): (one.node, one.token) for name, one in self._rules.others.items()}
        return {
            "node": self.node,
            "alone": self.is_alone,
            "nodes": [
                {"node": node, "url": url}
                for node, url in sorted({**self._rules.nodes, self.node: self.address}.items())
            ],
            "held": {
                name: {"node": node, "token": token} for name, (node, token) in sorted({**others, **held}.items())
            },
        }

    async def take(self, camera: str, shown: str) -> Lease:
        """Take a camera, to open a view of it.

        Args:
            camera: What no other camera has, on all nodes: Ring's own id.
            shown: What people call it.

        Raises:
            ElsewhereError: CAM-ELSEWHERE, another node has it.
            RingError: NODE-ALONE or NODE-LEAVING.
        """
        number = next(self._numbers)
        answer = self._asking[number] = self._loop.create_future()
        try:
            name = _name(camera)
            self._names[name] = shown
            self._feed(Want(number, name))
            lease: Lease = await answer
            return lease
        except asyncio.CancelledError:
            self.drop(number)
            raise
        finally:
            del self._asking[number]

    def drop(self, number: int) -> None:
        """Give back what has this number."""
        self._open.pop(number, None)
        self._out.discard(number)
        if not self._out:
            self._all_in.set()
        self._feed(Drop(number))

    async def holder(self, camera: str) -> Holder | None:
        """Return which other node holds a camera; `None` is nobody, or this one."""
        name = _name(camera)
        if name in self._rules.held:
            return None
        if self.is_alone:
            return self._rules.others.get(name)
        try:
            found = await self._ask("look", name)
        except self._away as error:
            self._cut(error)
            return self._rules.others.get(name)
        return Holder(found[0], found[1], int(found[2])) if found else None

    async def leave(self) -> None:
        """Hand over all that is held here: others may have the cameras, and our views end; wait until they have."""
        self._feed(Leave())
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):  # told to stop once more: that is under way
            async with asyncio.timeout(CLOSING):
                await self._all_in.wait()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # Doing what the rules say

    async def _run(self) -> None:
        while True:
            self._stirred.clear()
            try:
                async with asyncio.timeout_at(self._rules.deadline):
                    await self._stirred.wait()
            except TimeoutError:
                self._feed(Tick())

    def _feed(self, event: Event) -> None:
        for action in self._rules.receive(event, self._loop.time()):
            self._do(action)
        self._stirred.set()

    def _do(self, action: Action) -> None:
        match action:
            case Claim() | Beat() | Release():
                task = asyncio.create_task(self._talk(action), name="leases of cameras: Redis")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case Open(number, token):
                lease = self._open[number] = Lease(self, number, token)
                self._out.add(number)
                self._all_in.clear()
                self._answer(number, lease)
            case Refuse(number, code, holder):
                self._answer(number, fault_error(code, holder.url if holder else None))
            case End(number, code):
                lost = self._open.pop(number, None)
                if lost is not None and not lost.over.done():
                    lost.over.set_result(fault_error(code))
            case Tell(alone):
                if alone:
                    why = self._distrust or "no connection"
                    log.warning("NODE-ALONE: Redis does not answer (%s): no other server hears what is shown here", why)
                else:
                    log.info("cameras: shared over Redis")

    def _answer(self, number: int, answer: "Lease | RingError") -> None:
        asking = self._asking.get(number)
        if asking is None or asking.done():
            return
        if isinstance(answer, RingError):
            asking.set_exception(answer)
        else:
            asking.set_result(answer)

    async def _talk(self, action: Claim | Beat | Release) -> None:
        asked = self._loop.time()
        try:
            match action:
                case Claim(camera, token):
                    said = await self._ask("claim", camera, str(token))
                    self._feed(_claimed(camera, asked, said))
                case Beat(held):
                    said = await self._ask("beat", *(str(one) for each in held for one in each))
                    self._feed(self._beaten(asked, held, said))
                    self._answered.set()
                case Release(camera, token):
                    await self._ask("release", camera, str(token))
        except self._away as error:
            self._cut(error)

    def _cut(self, error: Exception) -> None:
        words = distrust_in(error)
        self._distrust = None if words is None else f"Redis: {words}"
        self._feed(Cut())

    async def _ask(self, what: str, *arguments: str) -> Any:
        async with asyncio.timeout(2 * PATIENCE):  # a name is looked up without a limit of its own
            lasts = str(int(LASTS * 1000))
            return await self._script(keys=_KEYS, args=[what, self.node, self.address, lasts, *arguments])

    def _beaten(self, asked: float, held: tuple[tuple[str, int], ...], said: Any) -> Beaten:
        kept, addresses, holders = said
        lost = {camera: token for (camera, token), is_kept in zip(held, kept, strict=True) if is_kept == "0"}
        nodes = _pairs(addresses)
        own, others = dict[str, int](), dict[str, Holder]()
        for camera, entry in _pairs(holders).items():
            token, _, node = entry.partition(" ")
            if not token.isdecimal() or len(token) > 15:  # as leases.lua reads it
                continue
            if node == self.node:
                own[camera] = int(token)
            elif node in nodes:
                others[camera] = Holder(node, nodes[node], int(token))
        return Beaten(asked, own, lost, others, nodes)


def _name(camera: str) -> str:
    """Return what a camera is called in Redis, where nobody has to know Ring's id of it."""
    return hashlib.sha256(camera.encode(errors="surrogatepass")).hexdigest()[:32]


def _claimed(camera: str, asked: float, said: list[str]) -> Claimed:
    token = int(said[0])
    return Claimed(camera, asked, token, None if token else Holder(said[1], said[2], int(said[3])))


def _pairs(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
