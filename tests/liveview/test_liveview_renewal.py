"""A view beyond Ring's time limit: the next one opened beside it takes over, while somebody watches."""

import asyncio
import uuid
from collections.abc import Callable

import pytest

from dialing import FRONT_DOOR, Notes, account_at
from ringlight import Account
from ringlight.account.endpoints import signaling_url
from ringlight.liveview import LiveViewClient, Renewed, policy, renewal
from ringlight.media import h264
from ringlight.secrets import Secret
from ringlight.testing import SimulatedRing

pytestmark = pytest.mark.anyio


def renewing(account: Account, notes: Notes, may_renew: Callable[[], bool]) -> LiveViewClient:
    async def url() -> Secret:
        return signaling_url(account.settings.ring_url, None, await account.ticket(), f"ring_site-{uuid.uuid4()}")

    return LiveViewClient(
        FRONT_DOOR, token=account.access_token, signaling_url=url, settings=account.settings.live_view,
        on_packet=notes.packet, on_event=notes.events.append, may_renew=may_renew, trace=notes,
    )  # fmt: skip


def renewals(notes: Notes) -> int:
    return sum(isinstance(event, Renewed) for event in notes.events)


async def test_the_next_view_takes_over_with_a_key_frame_and_the_old_one_is_closed(ring: SimulatedRing) -> None:
    """The packets of two views are never mixed: each source begins with a key frame and ends for good."""
    notes = Notes()
    async with account_at(ring, renew_after=0.4) as account, renewing(account, notes, lambda: True):
        async with asyncio.timeout(8):
            while renewals(notes) < 3:
                await asyncio.sleep(0.02)
    video = [packet for packet in notes.packets if packet.payload_type != 111]
    sources = list(dict.fromkeys(packet.ssrc for packet in video))
    assert len(sources) >= 4
    runs = [packet.ssrc for before, packet in zip([None, *video], video, strict=False)
            if before is None or before.ssrc != packet.ssrc]  # fmt: skip
    assert runs == sources, "no source came back after another had taken over"
    for ssrc in sources:
        assert h264.starts_key_frame(next(packet for packet in video if packet.ssrc == ssrc).payload)
    ended = [dialog.ended for dialog in ring.world.dialogs]
    assert set(ended) == {"closed by the client"}
    assert all(row["code"] is None for dialog in ring.world.dialogs for row in dialog.messages)


async def test_without_leave_to_renew_the_view_ends_at_the_time_limit(ring: SimulatedRing) -> None:
    ring.world.time_limit = 0.5
    notes = Notes()
    async with account_at(ring, renew_after=0.1) as account:
        client = renewing(account, notes, lambda: False)
        await client.open()
        async with asyncio.timeout(4):
            assert (await client.ended()).code == "SIG-TIME-LIMIT"
    assert ring.world.live_views == 1


async def test_a_limit_that_comes_before_the_renewal_is_answered_by_opening_anew(ring: SimulatedRing) -> None:
    ring.world.time_limit = 0.5
    notes = Notes()
    async with account_at(ring) as account, renewing(account, notes, lambda: True):
        async with asyncio.timeout(6):
            while ring.world.live_views < 3:
                await asyncio.sleep(0.02)
    assert [attempt.code for attempt in notes.tries[:2]] == [None, "SIG-TIME-LIMIT"]


async def test_a_renewal_that_fails_leaves_the_running_view_alone(ring: SimulatedRing) -> None:
    notes = Notes()
    async with account_at(ring, renew_after=0.3) as account, renewing(account, notes, lambda: True):
        async with asyncio.timeout(5):
            await notes.flowing.wait()
            ring.world.switch(["session-lost"])
            while "SIG-SESSION-LOST" not in notes.notes:
                await asyncio.sleep(0.02)
        seen = len(notes.packets)
        await asyncio.sleep(0.3)
        assert len(notes.packets) > seen
        assert renewals(notes) == 0


async def test_a_renewal_that_failed_late_is_tried_again(ring: SimulatedRing, monkeypatch: pytest.MonkeyPatch) -> None:
    """The attempt outlasts the pause between two tries, so its end has to set the clock anew."""
    for module in (renewal, policy):  # until it is asked again, and after a failure
        monkeypatch.setattr(module, "RENEWAL_PAUSE", 0.2)
    notes = Notes()
    async with account_at(ring, renew_after=0.3, path_timeout=0.6) as account, renewing(account, notes, lambda: True):
        async with asyncio.timeout(8):
            await notes.flowing.wait()
            ring.world.switch(["no-udp"])
            while "MEDIA-UDP" not in notes.notes:
                await asyncio.sleep(0.02)
            ring.world.switch([])
            while not renewals(notes):
                await asyncio.sleep(0.02)


async def test_closing_during_a_renewal_closes_both_views(ring: SimulatedRing) -> None:
    notes = Notes()
    async with account_at(ring, renew_after=0.2) as account:
        before = asyncio.all_tasks()
        async with renewing(account, notes, lambda: True):
            async with asyncio.timeout(5):
                while ring.world.live_views < 2:
                    await asyncio.sleep(0.001)
        assert asyncio.all_tasks() <= before
    await asyncio.sleep(0.1)
    assert all(dialog.ended == "closed by the client" for dialog in ring.world.dialogs)
    assert notes.notes == [], "a renewal that was closed on purpose has not failed"


async def test_a_refused_sign_in_renews_the_token_once(ring: SimulatedRing) -> None:
    """Reason 5: the next attempt is made with a newer access token and not only with a new ticket."""
    ring.world.switch(["auth-failed"])
    asked: list[str] = []
    notes = Notes()
    async with account_at(ring) as account:
        client = renewing(account, notes, lambda: False)

        async def renewed() -> Secret:
            asked.append("renewed")
            ring.world.switch([])
            return await account.renewed_token()

        client._renewed_token = renewed
        async with client:
            async with asyncio.timeout(5):
                await notes.flowing.wait()
    assert asked == ["renewed"]
