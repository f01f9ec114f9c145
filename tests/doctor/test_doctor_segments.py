"""The doctor says whether many packets leave in one call, and why not."""

import errno
import os
import socket
import sys

import pytest

from ringlight.doctor.findings import Mark
from ringlight.doctor.probes import machine
from ringlight.media import datagrams

pytestmark = pytest.mark.anyio


class _OldKernel(socket.socket):
    def getsockopt(self, *_: object) -> int:  # type: ignore[override]
        raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))


@pytest.mark.skipif(sys.platform != "linux", reason="UDP_SEGMENT is Linux's")
async def test_on_linux_it_is_tried_and_used() -> None:
    assert (await machine.segments()).mark is Mark.GOOD


async def test_another_system_has_none_and_each_packet_leaves_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    seen = (await machine.segments()).text
    assert seen.startswith("UDP_SEGMENT is not used, since darwin has no UDP_SEGMENT;")


def test_an_old_kernel_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    with _OldKernel(socket.AF_INET, socket.SOCK_DGRAM) as old:
        assert datagrams.segments_refused(old) == "the kernel refuses UDP_SEGMENT: Protocol not available"


@pytest.mark.skipif(sys.platform != "linux", reason="UDP_SEGMENT is Linux's")
async def test_a_kernel_that_knows_it_and_cannot_do_it_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in some sandboxes: the option is there, and the packets are not."""
    monkeypatch.setattr(machine, "segment", lambda _: (socket.SOL_SOCKET, 0, b""))
    seen = (await machine.segments()).text
    assert "does not work" in seen
    monkeypatch.setattr(machine, "segment", lambda _: datagrams.segment(8))
    assert "comes out in one piece" in (await machine.segments()).text
