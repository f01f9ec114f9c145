"""This machine: its state directory, its ports, its datagrams, and the packages that are installed."""

import asyncio
import contextlib
import importlib.util
import os
import socket
import tempfile
from pathlib import Path

from ringlight.doctor.findings import Seen, fault, good, note
from ringlight.errors import RingError, fault_error
from ringlight.http.serving import listen
from ringlight.media.addresses import bind_all, own_addresses
from ringlight.media.datagrams import segment, segments_refused
from ringlight.settings import Settings
from ringlight.store.private_file import is_full

DATAGRAM_WAIT = 1.0  # seconds


async def state_dir(folder: Path) -> str:
    """Write and read in the state directory.

    Raises:
        SetupError: CFG-STATE-DIR.
        StoreError: STORE-FULL.
    """

    def try_it() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix="doctor-")
        os.close(handle)
        os.unlink(name)
        for kept in ("tokens.json", "partner-tokens.json", "ringlight.db"):
            if (folder / kept).exists():
                (folder / kept).open("rb").close()

    try:
        await asyncio.to_thread(try_it)
    except OSError as error:
        code = "STORE-FULL" if is_full(error) else "CFG-STATE-DIR"
        raise fault_error(code, f"{error.filename or folder}: {error.strerror}") from error
    return f"{folder} can be read and written"


def can_listen(host: str, port: int) -> bool:
    """Take a TCP port for a moment."""
    try:
        listen(host, port).close()
    except RingError:
        return False
    return True


def can_bind_media(port: int, *, tcp: bool) -> RingError | None:
    """Take the viewers' port for a moment; return what stands in the way."""
    try:
        bind_all(port, tcp=tcp).close()
    except RingError as error:
        return error
    return None


async def datagrams() -> Seen:
    """Send a datagram from this machine's first address to itself: what a local firewall would stop."""
    address = own_addresses(ipv6=False)[0]

    def send_to_ourselves() -> None:
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as ours:
            ours.settimeout(DATAGRAM_WAIT)
            ours.bind((address, 0))
            ours.sendto(b"ringlight", ours.getsockname())
            ours.recv(64)

    try:
        await asyncio.to_thread(send_to_ourselves)
    except PermissionError as error:
        return fault("REACH-SANDBOX", f"a datagram from {address} to itself: {error.strerror}")
    except OSError:
        return fault("MEDIA-UDP", f"a datagram from {address} to itself did not arrive")
    return good(f"datagrams pass on {address}")


async def segments() -> Seen:
    """Send two packets to ourselves in one call, as viewers get theirs; that it does not work is no fault."""

    def try_it() -> str | None:
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as ours:
            ours.settimeout(DATAGRAM_WAIT)
            ours.bind(("127.0.0.1", 0))
            why_not = segments_refused(ours)
            if why_not is None:
                try:
                    ours.sendmsg([b"ring", b"lite"], [segment(4)], 0, ours.getsockname())
                    if ours.recv(64) != b"ring" or ours.recv(64) != b"lite":
                        return "what is sent in one call comes out in one piece"
                except OSError as error:
                    return f"the kernel knows UDP_SEGMENT, but it does not work: {error.strerror or error}"
            return why_not

    why_not = await asyncio.to_thread(try_it)
    if why_not is None:
        return good("UDP_SEGMENT is used: the packets of a frame leave in one call")
    return note(f"UDP_SEGMENT is not used, since {why_not}; each packet leaves by itself, and a viewer costs more")


def missing_packages(settings: Settings) -> list[tuple[str, str]]:
    """Return each setting that needs a package which is not installed, with the extra that brings it."""
    tokens = settings.partner.tokens or ""
    database = settings.database.reveal()
    wanted = (
        ("redis_url", "redis", "redis", settings.redis_url is not None),
        ("partner.tokens", "postgres", "psycopg", tokens.startswith("postgres")),
        ("database_url", "postgres", "psycopg", database.startswith("postgres")),
        ("partner.tokens", "keyring", "keyring", tokens.startswith("keyring:")),
    )
    return [(setting, extra) for setting, extra, package, is_set in wanted
            if is_set and importlib.util.find_spec(package) is None]  # fmt: skip
