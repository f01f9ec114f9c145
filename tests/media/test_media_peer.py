"""Two full ICE agents on this machine: the path that a camera's video takes to us."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aioice
import ifaddr
import pytest
from aioice import mdns
from media_kit import NOBODY, PACKET, REPORT, Calls, Side

from ringlight.errors import RingError
from ringlight.media.agent import LOOPBACK, Agent
from ringlight.media.dtls import Certificate, Role, own_certificate
from ringlight.media.sdp import Transport

pytestmark = pytest.mark.anyio


@dataclass
class Pair:
    ours: Side
    camera: Side


@asynccontextmanager
async def _sides() -> AsyncIterator[tuple[Pair, Transport, Transport]]:
    pair = Pair(Side(controlling=True), Side(controlling=False))
    try:
        async with asyncio.timeout(15):
            yield pair, await pair.ours.peer.gather(), await pair.camera.peer.gather()
    finally:
        await pair.ours.peer.close()
        await pair.camera.peer.close()


@asynccontextmanager
async def _connected() -> AsyncIterator[Pair]:
    async with _sides() as (pair, local, remote):
        await asyncio.gather(
            pair.ours.peer.connect(replace(remote, complete=True), Role.SERVER),
            pair.camera.peer.connect(replace(local, complete=True), Role.CLIENT),
        )
        yield pair


async def _until(heard: Calls, count: int = 1) -> None:
    async with asyncio.timeout(3):
        while len(heard) < count:
            await asyncio.sleep(0.005)


async def test_packets_and_reports_pass_both_ways() -> None:
    async with _connected() as pair:
        for one, other in ((pair.ours, pair.camera), (pair.camera, pair.ours)):
            one.peer.send(PACKET)
            one.peer.send_rtcp(REPORT)
            await _until(other.packets)
            await _until(other.reports)
            assert other.packets.seen == [PACKET]
            assert other.reports.seen == [REPORT]
        assert pair.ours.peer.dropped == pair.camera.peer.dropped == 0


async def test_a_goodbye_is_told_once() -> None:
    async with _connected() as pair:
        await pair.camera.peer.close()
        await _until(pair.ours.ended)
        for _ in range(3):  # the alert comes again where the network doubles it
            pair.ours.peer._receive(b"\x15\xfe\xfd" + bytes(20))
        assert pair.ours.ended.seen == [None]
        assert pair.camera.ended.seen == []


async def test_a_path_lost_during_the_handshake_is_told_at_once() -> None:
    """ICE is through, then its checks fail while DTLS still waits: nobody waits for a deadline."""
    async with _sides() as (pair, local, remote):
        agent = pair.camera.peer._agent  # it takes part in ICE only
        agent.remote_username, agent.remote_password = local.ufrag, local.pwd
        for line in local.candidates:
            await pair.camera.peer.add_candidate(line)
        await agent.add_remote_candidate(None)
        connecting = asyncio.ensure_future(pair.ours.peer.connect(replace(remote, complete=True), Role.CLIENT))
        await agent.connect()
        async with asyncio.timeout(5):
            while pair.ours.peer._reading is None:
                await asyncio.sleep(0.005)
        await pair.ours.peer._agent.close()  # as aioice does when consent is not renewed
        with pytest.raises(RingError) as caught:
            await asyncio.wait_for(connecting, 1)
    assert caught.value.code == "MEDIA-UDP"
    assert pair.ours.ended.seen == [], "the caller has it already"


async def test_our_own_close_is_told_to_nobody_here() -> None:
    async with _connected() as pair:
        await pair.ours.peer.close()
        await pair.ours.peer.close()
        await _until(pair.camera.ended)
        pair.ours.peer.send(PACKET)
        assert pair.ours.ended.seen == []
        assert len(pair.camera.packets) == 0


async def test_what_is_forged_is_dropped_and_counted() -> None:
    async with _connected() as pair:
        for garbage in (b"", b"\x50", PACKET, REPORT, b"\x16\xfe\xfd" + bytes(40), b"\x80"):
            pair.camera.peer._transmit(garbage)
        pair.camera.peer.send(PACKET)
        await _until(pair.ours.packets)
        assert pair.ours.packets.seen == [PACKET]
        assert pair.ours.reports.seen == []
        assert pair.ours.peer.dropped == 3
        assert pair.ours.ended.seen == []


@pytest.mark.parametrize("role", list(Role))
async def test_another_certificate_than_the_one_in_the_sdp_is_media_dtls(role: Role) -> None:
    other = Role.CLIENT if role is Role.SERVER else Role.SERVER
    async with _sides() as (pair, local, remote):
        forged = replace(remote, fingerprint=Certificate().fingerprint, complete=True)
        camera = asyncio.create_task(pair.camera.peer.connect(local, other))
        with pytest.raises(RingError) as caught:
            await pair.ours.peer.connect(forged, role)
        assert caught.value.code == "MEDIA-DTLS"
        pair.ours.peer.send(PACKET)
        camera.cancel()
        await asyncio.gather(camera, return_exceptions=True)
        assert len(pair.camera.packets) == 0


@pytest.mark.parametrize("candidates", [(), (NOBODY,)], ids=["none", "nobody there"])
async def test_when_no_address_works_and_no_more_will_come_it_is_media_udp(
    candidates: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aioice.stun.RETRY_MAX", 1)
    monkeypatch.setattr("aioice.stun.RETRY_RTO", 0.05)
    async with _sides() as (pair, _, remote):
        with pytest.raises(RingError) as caught:
            await pair.ours.peer.connect(replace(remote, candidates=candidates, complete=True), Role.SERVER)
        assert caught.value.code == "MEDIA-UDP"


async def test_addresses_may_come_after_the_answer() -> None:
    """Ring has sent them inside the answer since 2024, and by themselves before."""
    async with _sides() as (pair, local, remote):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(pair.ours.peer.connect(replace(remote, candidates=()), Role.SERVER))
            tasks.create_task(pair.camera.peer.connect(replace(local, candidates=()), Role.CLIENT))
            await asyncio.sleep(0.05)
            for line in [line for line in remote.candidates if " udp " in line]:
                assert await pair.ours.peer.add_candidate(f"a={line}")
        pair.camera.peer.send(PACKET)
        await _until(pair.ours.packets)


@pytest.mark.parametrize(
    ("line", "usable"),
    [
        (NOBODY, True),
        ("a=" + NOBODY, True),
        (NOBODY.removeprefix("candidate:"), True),
        ("candidate:7 1 UDP 2013266429 127.0.0.1 40000 typ host", True),
        ("candidate:9 1 TCP 1010828031 127.0.0.1 443 typ host tcptype passive", True),
        ("candidate:9 1 TCP 1010828031 2001:db8::1 443 typ host tcptype passive", True),
        ("candidate:9 1 TCP 1010828031 media.local 443 typ host tcptype passive", False),
        ("candidate:9 1 TCP 1015021823 127.0.0.1 9 typ host tcptype active", False),
        ("candidate:9 2 TCP 1010828031 127.0.0.1 443 typ host tcptype passive", False),
        ("candidate:9 1 TCP 1010828031 127.0.0.1 0 typ host tcptype passive", False),
        ("candidate:1 2 udp 2130706431 127.0.0.1 9 typ host", False),
        ("candidate:1 1 udp x 127.0.0.1 9 typ host", False),
        ("candidate:1 1 udp 1 127.0.0.1 " + "9" * 5000 + " typ host", False),
        ("candidate:1 1 udp 1 127.0.0.1", False),
        ("", False),
    ],
)
async def test_addresses_that_cannot_be_used_are_told_from_those_that_can(line: str, usable: bool) -> None:
    async with _sides() as (pair, _, _remote):
        assert await pair.ours.peer.add_candidate(line) is usable


async def test_a_hidden_address_that_cannot_be_asked_for_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsers hide their address behind a name of multicast DNS, which not every network takes."""

    async def fails() -> None:
        raise OSError(19, "No such device")

    monkeypatch.setattr(mdns, "create_mdns_protocol", fails)
    async with _sides() as (pair, _, _remote):
        assert not await pair.ours.peer.add_candidate("candidate:1 1 udp 1 hidden.local 9 typ host")


async def test_nothing_is_sent_before_the_path_is_open() -> None:
    async with _sides() as (pair, local, _remote):
        pair.ours.peer.send(PACKET)
        pair.ours.peer.send_rtcp(REPORT)
        assert (local.setup, local.complete) == ("actpass", False)
        assert local.fingerprint == own_certificate().fingerprint


# Where the only address is loopback


async def test_the_agent_finds_loopback_where_there_is_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice leaves it out, and would have no address at all."""
    monkeypatch.setattr(ifaddr, "get_adapters", list)
    agent = Agent(ice_controlling=True)
    try:
        await agent.gather_candidates()
        assert [candidate.host for candidate in agent.local_candidates] == [LOOPBACK]
    finally:
        await agent.close()
    plain = aioice.Connection(ice_controlling=True)
    await plain.gather_candidates()
    assert plain.local_candidates == []  # when aioice finds it itself, our agent may go
    await plain.close()


async def test_peers_connect_where_no_adapter_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ifaddr, "get_adapters", list)
    async with _connected() as pair:
        pair.camera.peer.send(PACKET)
        await _until(pair.ours.packets)


def test_peers_connect_in_a_machine_that_has_only_loopback() -> None:
    """A container without network: a real one, not a pretended one."""
    unshare, ip = shutil.which("unshare"), shutil.which("ip")
    if unshare is None or ip is None:
        pytest.skip("unshare or ip is not installed")
    alone = [unshare, "-rn", "sh", "-c", f'{ip} link set lo up && exec "$@"', "sh"]
    if (tried := subprocess.run([*alone, "true"], capture_output=True, text=True, check=False)).returncode:
        pytest.skip(f"this machine lets us make no network namespace: {tried.stderr.strip()}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path[1:]])}
    done = subprocess.run(
        [*alone, sys.executable, "-c", "import test_media_peer; test_media_peer.main()"],
        capture_output=True, text=True, timeout=30, env=environment, check=False,
    )  # fmt: skip
    assert done.stdout == "['127.0.0.1'] 1 1\n", done.stderr


def main() -> None:
    """Connect two peers and say how; runs in the namespace."""

    async def connect() -> None:
        async with _connected() as pair:
            pair.camera.peer.send(PACKET)
            pair.ours.peer.send_rtcp(REPORT)
            await _until(pair.ours.packets)
            await _until(pair.camera.reports)
            hosts = [candidate.host for candidate in pair.ours.peer._agent.local_candidates]
            sys.stdout.write(f"{hosts} {len(pair.ours.packets)} {len(pair.camera.reports)}\n")

    asyncio.run(connect())
