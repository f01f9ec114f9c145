"""A link between two network namespaces that delays, drops, reorders and holds back packets, in user space.

Kernels without netem can do no more than drop. Two TUN devices are made here and moved into the namespaces; what the
one sends, this process reads, keeps as long as is wanted, and writes to the other.
"""

import contextlib
import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import subprocess
import threading
import time

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_COUNT = itertools.count()


class BadLink:
    """Carries IP packets both ways until it is closed.

    Attributes:
        loss: The share of packets that is dropped, from 0 to 1, in each direction.
        delay: Seconds that each packet takes, in each direction.
        jitter: Seconds that some of them take longer, so that later ones come before them.
        is_up: Whether anything gets through.
        carried: Packets that got through.
        dropped: Packets that did not.
    """

    def __init__(self, first: tuple[str, str], second: tuple[str, str], *, seed: int = 1) -> None:
        """Make both devices, each by its namespace and its name there; they have no addresses yet."""
        self.loss = self.delay = self.jitter = 0.0
        self.is_up = True
        self.carried = self.dropped = 0
        self._dice = random.Random(seed)
        self._ends = [_tun(*first), _tun(*second)]
        self._waiting: list[tuple[float, int, int, bytes]] = []
        self._number = itertools.count()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take the link away; the devices go with it."""
        self._stop.set()
        self._thread.join(5)
        for end in self._ends:
            os.close(end)

    def _run(self) -> None:
        while not self._stop.is_set():
            now = time.monotonic()
            wait = max(0.0, self._waiting[0][0] - now) if self._waiting else 0.2
            ready, _, _ = select.select(self._ends, [], [], min(wait, 0.2))
            for end in ready:
                self._take(end)
            now = time.monotonic()
            while self._waiting and self._waiting[0][0] <= now:
                _, _, end, packet = heapq.heappop(self._waiting)
                if self.is_up:
                    self.carried += 1
                    with contextlib.suppress(OSError):  # the device is not up any more
                        os.write(end, packet)

    def _take(self, end: int) -> None:
        other = self._ends[1 - self._ends.index(end)]
        for _ in range(64):
            try:
                packet = os.read(end, 65_536)
            except (BlockingIOError, OSError):
                return
            if not self.is_up or self._dice.random() < self.loss:
                self.dropped += 1
                continue
            late = self._dice.random() * self.jitter if self._dice.random() < 0.3 else 0.0
            heapq.heappush(self._waiting, (time.monotonic() + self.delay + late, next(self._number), other, packet))


def _tun(namespace: str, called: str) -> int:
    """Make a TUN device in a namespace; return its file descriptor."""
    name = f"rl{os.getpid() % 100_000}x{next(_COUNT)}"
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    subprocess.run(["ip", "link", "set", name, "netns", namespace, "name", called], check=True)
    return end
