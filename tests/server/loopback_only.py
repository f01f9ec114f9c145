"""Run in a network namespace whose only address is loopback: the whole way of a picture; exit 0 if all is well."""

import asyncio
import fcntl
import socket
import struct
import subprocess
import sys
from pathlib import Path

import httpx2

from whep_viewer import viewer

RINGLIGHT = Path(sys.executable).with_name("ringlight")

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1


def bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


async def watch(url: str) -> None:
    async with httpx2.AsyncClient() as http, viewer(url, "front-door", http) as playing:
        await playing.receive(60)


def main() -> None:
    bring_loopback_up()
    demo = subprocess.Popen([str(RINGLIGHT), "demo", "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        assert demo.stdout is not None
        asyncio.run(watch(demo.stdout.readline().split()[1]))
    finally:
        demo.terminate()
        demo.wait(10)


if __name__ == "__main__":
    main()
