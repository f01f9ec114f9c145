"""A server on a bare socket that fails in the ways servers and networks do, and counts what reached it.

Each connection has a thread, so that it serves clients with and without an event loop alike.
"""

import contextlib
import gzip
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ringlight.resilience.actions import Fate

Talk = Callable[["Talking"], None]
OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}'


@dataclass
class Talking:
    """One connection, from the server's side."""

    socket: socket.socket
    server: "FaultServer"

    def hear(self) -> bool:
        """Read one request with its body and count it; `False` at the end of the connection."""
        came = b""
        while b"\r\n\r\n" not in came:
            piece = self.socket.recv(65536)
            if not piece:
                return False
            came += piece
        head, _, body = came.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        missing = int(fields.get(b"content-length", b"0")) - len(body)
        while missing > 0 and (piece := self.socket.recv(65536)):
            missing -= len(piece)
        with self.server.lock:
            self.server.arrived.append(fields)
        return True

    def say(self, *pieces: bytes) -> None:
        self.socket.sendall(b"".join(pieces))

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@dataclass
class FaultServer:
    """What is known of the server.

    Attributes:
        url: Its address.
        arrived: The header fields of each request that was read whole, names and values in lower case.
        over: Set when the test is over, so that nobody waits any longer.
    """

    url: str
    arrived: list[dict[bytes, bytes]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)
    open: set[socket.socket] = field(default_factory=set)


@contextmanager
def failing_server(talk: Talk) -> Iterator[FaultServer]:
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    server = FaultServer(f"http://127.0.0.1:{listening.getsockname()[1]}")
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            talk(Talking(connection, server))
        with server.lock:
            server.open.discard(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with server.lock:
                server.open.add(connection)
            threads.append(threading.Thread(target=serve, args=(connection,)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield server
    finally:
        server.over.set()
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join()
        with server.lock:
            for connection in server.open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def say(*pieces: bytes) -> Talk:
    """Answer each request alike, then close."""

    def talk(peer: Talking) -> None:
        if peer.hear():
            peer.say(*pieces)

    return talk


def say_on(*answers: bytes) -> Talk:
    """Answer the requests of a connection in turn, the last answer for ever."""

    def talk(peer: Talking) -> None:
        count = 0
        while peer.hear():
            peer.say(answers[min(count, len(answers) - 1)])
            count += 1

    return talk


def reset_at_once(peer: Talking) -> None:
    peer.reset()


def reset_after_the_request(peer: Talking) -> None:
    peer.hear()
    peer.reset()


def close_after_the_request(peer: Talking) -> None:
    peer.hear()


def plain_words(peer: Talking) -> None:
    """As a port without TLS does."""
    peer.say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    peer.server.over.wait(30)


def never_answer(peer: Talking) -> None:
    peer.hear()
    peer.server.over.wait(30)


def answer_once_then_reset(peer: Talking) -> None:
    """As a server does that closes an idle connection just when the next request is on its way."""
    if peer.hear():
        peer.say(OK)
        peer.hear()
        peer.reset()


def trickle(pause: float) -> Talk:
    """Send a head, and then a byte after each pause."""

    def talk(peer: Talking) -> None:
        if peer.hear():
            peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
            while not peer.server.over.wait(pause):
                peer.say(b" ")

    return talk


_GZIP = gzip.compress(b'{"a":1}' * 100)[:20]


@dataclass(frozen=True)
class Case:
    """One way to fail.

    Attributes:
        talk: What the server does; `None` where there is none: `url` leads nowhere.
        fate: How far the request got.
        code: Ours.
        arrives: Whether the server reads the request.
        url: Where to, with the server's port.
        whole: The answer comes whole, and fails as it is read or by its status.
        races: The failure may be seen before anything is sent.
        timeout: Seconds for the exchange.
    """

    talk: Talk | None
    fate: Fate | None
    code: str
    arrives: bool = True
    url: str = "{server}"
    whole: bool = False
    races: bool = False
    timeout: float = 20.0


CASES = {
    "no such host": Case(None, Fate.NEVER_SENT, "NET-DNS", arrives=False, url="http://nobody.invalid"),
    "refused": Case(None, Fate.NEVER_SENT, "NET-UNREACHABLE", arrives=False, url="http://127.0.0.1:1"),
    "TLS to a plain port": Case(
        plain_words, Fate.NEVER_SENT, "NET-TLS", arrives=False, url="https://127.0.0.1:{port}"
    ),
    "reset at once": Case(reset_at_once, Fate.MAYBE_SENT, "NET-UNREACHABLE", arrives=False, races=True),
    "reset after the request": Case(reset_after_the_request, Fate.MAYBE_SENT, "NET-UNREACHABLE"),
    "closed without a byte": Case(close_after_the_request, Fate.MAYBE_SENT, "NET-UNREACHABLE"),
    "no answer": Case(never_answer, Fate.MAYBE_SENT, "NET-TIMEOUT", timeout=0.2),
    "no HTTP": Case(say(b"\x00\x01garbage\r\n\r\n"), Fate.MAYBE_SENT, "NET-UNREACHABLE"),
    "short body": Case(say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"), Fate.BROKEN, "NET-UNREACHABLE"),
    "cut chunk": Case(
        say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"), Fate.BROKEN, "NET-UNREACHABLE"
    ),
    "truncated gzip": Case(
        say(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\nContent-Length: 20\r\n\r\n", _GZIP),
        Fate.BROKEN, "PARTNER-ANSWER", whole=True,
    ),
    "HTML instead of JSON": Case(
        say(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: 6\r\n\r\n<html>"),
        Fate.BROKEN, "PARTNER-ANSWER", whole=True,
    ),
    "503 without a body": Case(
        say(b"HTTP/1.1 503 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        None, "PARTNER-UNAVAILABLE", whole=True,
    ),
}  # fmt: skip


@contextmanager
def case_server(case: Case) -> Iterator[FaultServer]:
    """Run a case; its `url` is where the case is asked."""
    with failing_server(case.talk or close_after_the_request) as server:
        here = server.url
        server.url = case.url.format(server=here, port=here.rpartition(":")[2])
        yield server
