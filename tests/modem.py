"""A line for media that is as thin as a modem's."""

import contextlib
import socket
import threading
import time


class Modem:
    """A way for UDP from a server to one viewer that carries so many kilobits a second, and queues the rest.

    Attributes:
        kbps: What it carries.
        is_up: Whether anything gets through, either way.
    """

    def __init__(self, port: int, kbps: float) -> None:
        self.kbps = kbps
        self.is_up = True
        self._near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._near.bind(("127.0.0.1", 0))
        self._far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)  # some seconds wait here
        self._far.connect(("127.0.0.1", port))
        self._viewer: tuple[str, int] | None = None
        self.port = int(self._near.getsockname()[1])
        for way in (self._forth, self._back):
            threading.Thread(target=way, daemon=True).start()

    def close(self) -> None:
        for one in (self._near, self._far):
            one.close()

    def _forth(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, self._viewer = self._near.recvfrom(65_536)
                if self.is_up:
                    self._far.send(data)

    def _back(self) -> None:
        free_at = 0.0
        with contextlib.suppress(OSError):
            while True:
                data = self._far.recv(65_536)
                free_at = max(free_at, time.monotonic()) + len(data) * 8 / 1000 / self.kbps
                time.sleep(max(0.0, free_at - time.monotonic()))
                if self.is_up and self._viewer is not None:
                    self._near.sendto(data, self._viewer)
