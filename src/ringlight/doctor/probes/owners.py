"""Who has a port, and who else speaks with a host: read from Linux's `/proc`. Other systems do not tell."""

import contextlib
import os
import socket
from pathlib import Path

from ringlight.doctor.proc_net import ESTABLISHED, LISTENING, Line, Listener, read_table
from ringlight.http.address import is_loopback_host
from ringlight.media.addresses import own_addresses

PROC = Path("/proc")


def is_own_address(host: str) -> bool:
    """Whether a host is this machine."""
    if is_loopback_host(host):
        return True
    try:
        found = {row[4][0] for row in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return bool(found & set(own_addresses()))


def listeners(port: int) -> tuple[Listener, ...] | None:
    """Return who listens on a TCP port; `None` where the system does not tell."""
    lines = _lines()
    if lines is None:
        return None
    found = [line for line in lines if line.state == LISTENING and line.port == port]
    owners = _owners({line.inode for line in found})
    return tuple(Listener(line.address, *owners.get(line.inode, (None, ""))) for line in found)


def speaking_with(addresses: tuple[str, ...], port: int) -> tuple[str, ...]:
    """Return the other programs of this machine that have a connection to a host."""
    lines = _lines() or []
    theirs = {line.inode for line in lines
              if line.state == ESTABLISHED and line.peer in addresses and line.peer_port == port}  # fmt: skip
    found = {owner for owner in _owners(theirs).values() if owner[0] != os.getpid()}
    return tuple(f"{program} (process {pid})" for pid, program in sorted(found))


def _lines() -> list[Line] | None:
    found: list[Line] = []
    tables = 0
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            found += read_table((PROC / "net" / name).read_text())
            tables += 1
    return found if tables else None


def _owners(inodes: set[int]) -> dict[int, tuple[int, str]]:
    """Find the process of each socket, as far as this user may see."""
    owners: dict[int, tuple[int, str]] = {}
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    if not wanted:
        return owners
    for process in PROC.iterdir():
        if not process.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # it ended, or belongs to somebody else
            for descriptor in (process / "fd").iterdir():
                inode = wanted.get(os.readlink(descriptor))
                if inode is not None:
                    owners[inode] = int(process.name), _program(process)
    return owners


def _program(process: Path) -> str:
    words = (process / "cmdline").read_bytes().split(b"\0")
    shown = [Path(word.decode(errors="replace")).name for word in words[:3] if word]
    return " ".join(shown)[:60] or "a program"
