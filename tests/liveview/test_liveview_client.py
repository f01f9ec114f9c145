"""The client against the simulated Ring: real sockets, real UDP, and nothing left behind."""

import asyncio
import contextlib
import random
import socket
import threading
from collections.abc import Callable

import pytest

from dialing import FRONT_DOOR, Notes, account_at, client_at, client_of, open_files
from ringlight import Account
from ringlight.errors import RingError, SignalingError, fault_error
from ringlight.liveview import LiveViewClient, Trying
from ringlight.media.peer import Peer
from ringlight.secrets import Secret
from ringlight.simulator import signaling
from ringlight.simulator.switchboard import SWITCHES
from ringlight.simulator.world import Delays
from ringlight.testing import SimulatedRing

pytestmark = pytest.mark.anyio


async def _settled(count: Callable[[], int], limit: int) -> int:
    """Return the count once it is within the limit, or after two seconds: the other side may be slower."""
    for _ in range(100):
        if count() <= limit:
            break
        await asyncio.sleep(0.02)
    return count()


# A view that works


async def test_packets_arrive_and_every_message_was_right(ring: SimulatedRing) -> None:
    notes = Notes()
    async with account_at(ring) as account:
        client = client_of(account, notes)
        agreed = await client.open()
        async with asyncio.timeout(10):
            await notes.flowing.wait()
        client.ask_key_frame()
        await client.close()
        ended = await client.ended()
    assert ended.code == "SIG-CLOSED"
    assert agreed.codecs["video"].is_called("H264")
    agreed_on = {codec.payload_type for codec in agreed.codecs.values()}
    assert agreed.codecs["video"].payload_type in {packet.payload_type for packet in notes.packets} <= agreed_on
    assert notes.steps == ["token", "ticket", "socket", "offer", "session", "answer", "camera", "media"]
    assert notes.tries == [Trying(1)]
    (dialog,) = ring.world.dialogs
    assert [message["code"] for message in dialog.messages] == [None] * len(dialog.messages)
    assert [message["method"] for message in dialog.messages] == [
        "live_view", "activate_session", "mic_enable", "stream_options", "ping", "close",
    ]  # fmt: skip
    assert dialog.ended == "closed by the client"
    assert dialog.doorbot_id == FRONT_DOOR


async def test_the_close_carries_what_ring_needs_to_end_the_view(ring: SimulatedRing) -> None:
    notes = Notes()
    async with account_at(ring) as account, client_of(account, notes):
        pass
    offer, close = notes.sent[0], notes.sent[-1]
    created = next(message for _, message in notes.messages if message["method"] == "session_created")
    assert close == {
        "method": "close",
        "dialog_id": offer["dialog_id"],
        "riid": offer["riid"],
        "body": {
            "doorbot_id": FRONT_DOOR,
            "session_id": created["body"]["session_id"],
            "reason": {"code": 0, "text": "client_closed"},
        },
    }
    assert {message["dialog_id"] for message in notes.sent} == {offer["dialog_id"]}


async def test_each_attempt_is_a_dialog_of_its_own(ring: SimulatedRing) -> None:
    notes = Notes()
    async with account_at(ring) as account:
        for _ in range(2):
            async with client_of(account, notes):
                pass
    offers = [message for message in notes.sent if message["method"] == "live_view"]
    assert len({offer["dialog_id"] for offer in offers}) == len({offer["riid"] for offer in offers}) == 2


async def test_slow_phases_and_pings_in_between(ring: SimulatedRing) -> None:
    ring.world.delays, ring.world.ping_interval = Delays(0.05, 0.05, 0.05, 0.05), 1.0
    notes = Notes()
    async with account_at(ring) as account, client_of(account, notes):
        async with asyncio.timeout(10):
            while [message["method"] for _, message in notes.messages].count("pong") < 2:
                await asyncio.sleep(0.05)
    methods = [message["method"] for _, message in notes.messages]
    assert methods.count("pong") == methods.count("ping") == 2
    assert all(message["code"] is None for message in ring.world.dialogs[-1].messages)


# The switches


SHORT = {"ready_retries": 1, "retries": 0, "reopen_retries": 0}
# Each deadline is short only where it is what ends the view: machines may be slow.
SHORT_WITH = {
    "no-session": {"session_timeout": 0.3},
    "no-answer": {"answer_timeout": 0.3},
    "no-camera": {"camera_timeout": 0.3},
    "black-hole": {"media_timeout": 0.3},
    "upgrade-silent": {"socket_timeout": 0.3},
    "not-activated": {"activation_limit": 2.0},
    "video-stops": {"stall_timeout": 0.3},
}
NO_OFFER_TAKEN = {
    "expired-ticket", "string-doorbot-id", "missing-dialog-id", "upgrade-401", "upgrade-403", "upgrade-silent",
    "user-agent-lost",
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name, switch in SWITCHES.items() if not switch.overcome])
async def test_each_switch_leads_to_its_fault(name: str, ring: SimulatedRing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signaling, "PING_LOST_AFTER", 0.2)

    async def look(account: Account) -> RingError:
        try:
            camera = await account.camera("front-door")
            async with camera.live_view() as view:
                if name == "no-key-frame":
                    await view.snapshot(within=0.3)
                return await view.ended()
        except RingError as error:
            return error

    code = SWITCHES[name].code
    assert code is not None
    deadlines = {"path_timeout": 0.4} if code == "MEDIA-UDP" else SHORT_WITH.get(name, {})
    async with account_at(ring, **SHORT, **deadlines) as account:
        await account.cameras()
        ring.world.switch([name])
        if name == "wrong-password":
            account._listed_at = float("-inf")
        async with asyncio.timeout(10):
            error = await look(account)
        assert error.code == code, error
        before_the_socket = not code.startswith(("SIG-", "MEDIA-", "SDP-"))
        assert (ring.world.live_views == 0) == (before_the_socket or name in NO_OFFER_TAKEN)
        ring.world.switch([])
        camera = await account.camera("front-door")
        async with asyncio.timeout(10), camera.live_view() as view:  # the process lives, and so does the account
            assert len(await view.snapshot()) > 1000


@pytest.mark.parametrize("name", [name for name, switch in SWITCHES.items() if switch.overcome])
async def test_what_is_overcome_is_at_most_noted(name: str, ring: SimulatedRing) -> None:
    """Video flows all the same; what the switch leads to is among the notes or the reasons of new attempts."""
    notes = Notes()
    async with account_at(ring, **({"tcp_after": 0.3} if name == "udp-blocked" else {})) as account:
        await account.cameras()
        ring.world.switch([name])
        camera = await account.camera("front-door")
        async with asyncio.timeout(15), camera.live_view() as view:
            assert len(await view.snapshot()) > 1000
        seen_here = name not in ("not-ready", "session-lapsed")  # the shared view was first, and has overcome it
        expected = {SWITCHES[name].code} if SWITCHES[name].code and seen_here else set()
        async with client_of(account, notes):
            async with asyncio.timeout(15):
                await notes.flowing.wait()
                if name == "short-view":
                    return
                while not expected <= _told(notes):  # the first packet may be quicker than the note on its way
                    await asyncio.sleep(0.01)
    assert _told(notes) == expected
    verdicts = [message["code"] for dialog in ring.world.dialogs for message in dialog.messages]
    assert verdicts == [None] * len(verdicts)


async def test_telephone_sound_is_agreed_on_and_arrives(ring: SimulatedRing) -> None:
    """PCMU is payload type 0, 160 samples of one byte every 20 ms."""
    ring.world.switch(["pcmu-sound"])
    notes = Notes()
    async with account_at(ring) as account:
        client = client_of(account, notes)
        agreed = await client.open()
        async with asyncio.timeout(10):
            while len([packet for packet in notes.packets if packet.payload_type == 0]) < 3:
                await asyncio.sleep(0.01)
        await client.close()
    heard = [packet for packet in notes.packets if packet.payload_type == 0]
    assert agreed.codecs["audio"].is_called("PCMU")
    assert {len(packet.payload) for packet in heard} == {160}
    assert [(packet.timestamp - heard[0].timestamp) % 2**32 for packet in heard[:3]] == [0, 160, 320]


async def test_a_camera_that_wakes_up_is_reached_by_the_third_offer(ring: SimulatedRing) -> None:
    ring.world.switch(["not-ready"])
    notes = Notes()
    async with account_at(ring) as account, client_of(account, notes):
        async with asyncio.timeout(10):
            await notes.flowing.wait()
    assert [(trying.number, trying.code) for trying in notes.tries] == [
        (1, None), (2, "SIG-NOT-READY"), (3, "SIG-NOT-READY"),
    ]  # fmt: skip
    assert [trying.pause for trying in notes.tries] == pytest.approx([0.0, 0.3, 0.48])
    assert ring.world.live_views == 3
    assert notes.steps.count("ticket") == 3, "a ticket is good for one connection"


def _told(notes: Notes) -> set[str | None]:
    return {code for code in (*notes.notes, *(trying.code for trying in notes.tries)) if code is not None}


async def test_where_udp_is_blocked_the_view_goes_over_tcp_and_says_so(ring: SimulatedRing) -> None:
    ring.world.switch(["udp-blocked"])
    notes = Notes()
    async with account_at(ring, tcp_after=0.05) as account, client_of(account, notes) as client:
        async with asyncio.timeout(10):
            while len(notes.packets) < 50:
                await asyncio.sleep(0.01)
        client.ask_key_frame()
    assert "MEDIA-TCP" in notes.notes
    assert notes.tries == [Trying(1)]
    numbers = [packet.sequence for packet in notes.packets if packet.payload_type == notes.packets[0].payload_type]
    assert numbers == [(numbers[0] + at) % 65536 for at in range(len(numbers))], "TCP loses nothing"


async def test_tcp_is_not_used_or_mentioned_where_udp_works(ring: SimulatedRing) -> None:
    notes = Notes()
    async with account_at(ring) as account, client_of(account, notes):
        async with asyncio.timeout(10):
            await notes.flowing.wait()
    assert "MEDIA-TCP" not in notes.notes


async def _end_of(client: LiveViewClient) -> RingError:
    async with client:
        return await client.ended()


async def test_a_stale_ticket_is_tried_once_more_with_a_new_one(ring: SimulatedRing) -> None:
    ring.world.switch(["expired-ticket"])
    notes = Notes()
    async with account_at(ring) as account:
        with pytest.raises(SignalingError) as caught:
            await client_of(account, notes).open()
    assert caught.value.code == "SIG-TICKET"
    assert [(trying.code, trying.pause) for trying in notes.tries] == [(None, 0.0), ("SIG-TICKET", 0.0)]
    assert notes.steps == ["token", "ticket"] * 2


async def test_an_unknown_camera_has_no_session(ring: SimulatedRing) -> None:
    async with account_at(ring, retries=0) as account:
        with pytest.raises(SignalingError) as caught:
            await client_of(account, Notes(), 9999).open()
    assert caught.value.code == "SIG-SESSION-LOST"


@pytest.mark.parametrize(
    ("delays", "deadlines", "code"),
    [
        (Delays(session=9), {"session_timeout": 0.1}, "SIG-NO-SESSION"),
        (Delays(answer=9), {"answer_timeout": 0.1}, "SIG-NO-ANSWER"),
        (Delays(connected=9), {"camera_timeout": 0.1, "path_timeout": 5.0}, "SIG-NO-CAMERA"),
    ],
)
async def test_each_phase_has_a_deadline(
    delays: Delays, deadlines: dict[str, float], code: str, ring: SimulatedRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Peer, "send", lambda *_: None)  # a first packet would prove camera and path
    ring.world.delays = delays
    async with account_at(ring, retries=0, **deadlines) as account:
        client = client_of(account, Notes())
        try:
            await client.open()
            error = await client.ended()
        except RingError as refused:
            error = refused
    assert error.code == code
    assert error.detail == "waited 0.1 s"


@pytest.mark.parametrize(
    ("world", "code"), [({"time_limit": 0.2}, "SIG-TIME-LIMIT"), ({"ping_interval": 0.05}, "SIG-PING")]
)
async def test_ring_ends_a_running_view(world: dict[str, float], code: str, ring: SimulatedRing) -> None:
    """A server that wants pings twenty times a second is not obeyed: once a second at most."""
    for name, value in world.items():
        setattr(ring.world, name, value)
    notes = Notes()
    async with account_at(ring, reopen_retries=0) as account:
        client = client_of(account, notes)
        await client.open()
        async with asyncio.timeout(5):
            await notes.flowing.wait()
            error = await client.ended()
    assert error.code == code
    assert len(notes.tries) == 1


async def test_a_view_without_packets_is_silent_and_one_that_stops_has_stalled(
    ring: SimulatedRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, silent = Peer.send, threading.Event()
    monkeypatch.setattr(Peer, "send", lambda self, packet: None if silent.is_set() else send(self, packet))
    codes = []
    for late in (True, False):
        notes = Notes()
        silent.clear() if late else silent.set()
        async with account_at(ring, media_timeout=0.2, stall_timeout=0.2, retries=0, reopen_retries=0) as account:
            client = client_of(account, notes)
            await client.open()
            async with asyncio.timeout(5):
                if late:
                    await notes.flowing.wait()
                    silent.set()
                codes.append((await client.ended()).code)
    assert codes == ["MEDIA-STALLED", "MEDIA-SILENT"]


# Ending it


async def test_it_may_be_closed_twice_and_before_it_was_opened(ring: SimulatedRing) -> None:
    async with account_at(ring) as account:
        client = client_of(account, Notes())
        await client.close()
        client.ask_key_frame()
        client = client_of(account, Notes())
        await client.open()
        await asyncio.gather(client.close(), client.close())
        await client.close()
        assert (await client.ended()).code == "SIG-CLOSED"
    with pytest.raises(RingError) as caught:
        await client_at("ws://127.0.0.1:9/ws", Notes()).ended()
    assert caught.value.code == "SIG-ORDER"


async def test_who_waits_for_the_end_may_stop_waiting(ring: SimulatedRing) -> None:
    async with account_at(ring) as account, client_of(account, Notes()) as client:
        waiting = [asyncio.create_task(client.ended()) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0.05)
        assert not waiting[1].done()
        await client.close()
        assert (await waiting[1]).code == "SIG-CLOSED"


@pytest.mark.parametrize("where", ["token", "ticket", "socket", "pause"])
async def test_closing_while_it_still_opens_is_quick_and_regular(where: str, ring: SimulatedRing) -> None:
    """Whoever waits for the end is told SIG-CLOSED, and is not cancelled himself."""
    stuck = asyncio.Event()

    async def forever() -> Secret:
        stuck.set()
        await asyncio.sleep(60)
        raise AssertionError

    with socket.socket() as silent:  # takes connections and never says a word
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]

        async def url() -> Secret:
            return Secret(f"ws://127.0.0.1:{port}/ws")

        async def at_once() -> None:
            if where == "socket":
                stuck.set()

        async def refused() -> Secret:
            stuck.set()
            raise fault_error("RING-RATE", retry_after=20.0)

        client = LiveViewClient(
            FRONT_DOOR,
            token=forever if where == "token" else at_once,
            signaling_url={"ticket": forever, "pause": refused}.get(where, url),
        )
        opening = asyncio.create_task(client.open())
        await stuck.wait()
        await asyncio.sleep(0.01)
        waiting = asyncio.create_task(client.ended())
        await asyncio.sleep(0)
        async with asyncio.timeout(1):
            await client.close()
            assert (await waiting).code == "SIG-CLOSED"
            with pytest.raises(SignalingError) as caught:
                await opening
        assert caught.value.code == "SIG-CLOSED"


async def test_a_deadline_that_passes_while_the_view_is_closed_does_not_let_it_go_on() -> None:
    """A deadline inside cancels its task for a moment too; that must not be taken for the end of the view."""
    deadlines: list[asyncio.Timeout] = []

    async def token() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None) as deadline:
                deadlines.append(deadline)
                await asyncio.Event().wait()
        await asyncio.Event().wait()

    async def url() -> Secret:
        raise AssertionError

    client = LiveViewClient(FRONT_DOOR, token=token, signaling_url=url)
    opening = asyncio.create_task(client.open())
    while not deadlines:
        await asyncio.sleep(0)
    deadlines[0].reschedule(0.0)
    async with asyncio.timeout(5):
        await client.close()
    with pytest.raises(SignalingError) as caught:
        await opening
    assert caught.value.code == "SIG-CLOSED"


async def test_thirty_views_leave_nothing_behind(ring: SimulatedRing) -> None:
    files = open_files()
    async with account_at(ring) as account:
        async with client_of(account, Notes()):
            pass
        tasks = asyncio.all_tasks()
        for _ in range(30):
            async with client_of(account, Notes()):
                pass
        assert asyncio.all_tasks() <= tasks
    assert await _settled(open_files, files) <= files
    assert all(dialog.ended == "closed by the client" for dialog in ring.world.dialogs)


async def test_opening_may_be_cancelled_at_any_moment(ring: SimulatedRing) -> None:
    dice, files = random.Random(26), open_files()
    async with account_at(ring) as account:
        async with client_of(account, Notes()):
            pass
        tasks = asyncio.all_tasks()
        opened = 0
        for _ in range(40):
            notes = Notes()
            opening = asyncio.create_task(client_of(account, notes).__aenter__())
            await asyncio.sleep(dice.uniform(0, 0.06))
            opening.cancel()
            try:
                client = await opening
            except asyncio.CancelledError:
                assert opening.cancelled()
            else:
                opened += 1
                await client.close()
            assert asyncio.all_tasks() <= tasks, notes.steps
        assert opened < 40
    assert await _settled(open_files, files) <= files
    assert all(message["code"] is None for dialog in ring.world.dialogs for message in dialog.messages)


async def test_a_program_that_fails_inside_leaves_nothing_behind(ring: SimulatedRing) -> None:
    async with account_at(ring) as account:
        tasks = asyncio.all_tasks()
        with pytest.raises(ZeroDivisionError):
            async with client_of(account, Notes()):
                raise ZeroDivisionError
        assert asyncio.all_tasks() <= tasks
    assert ring.world.dialogs[-1].ended == "closed by the client"
