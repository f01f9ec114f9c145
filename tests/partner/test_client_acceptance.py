"""Both clients against the simulator: what each method gives, and what each kind of trouble comes to."""

import logging
import pickle
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from both_clients import KINDS, Either, either
from ringlight.errors import (
    AuthenticationError,
    DeadlineExceeded,
    LinkLost,
    MediaError,
    MediaNotReadyError,
    NetworkError,
    NotFoundError,
    PermissionDeniedError,
    RingError,
    ServiceUnavailableError,
    UsageError,
)
from ringlight.media import negotiate, sdp
from ringlight.partner import Event, Memory, Notice, Off, Stored, Strategies, TokenPair
from ringlight.resilience.events import Attempt, RetryScheduled, ServedStale, TokenRefreshed
from ringlight.secrets import Secret
from ringlight.settings import PartnerSettings, ResilienceSettings, Settings
from ringlight.store.pairs import MemoryPairStore
from ringlight.testing import SimulatedRing

pytestmark = pytest.mark.parametrize("kind", KINDS)
Open = Callable[..., Either]
QUICK = ResilienceSettings(backoff_first=0.01, backoff_cap=0.02)
NONCE = "canary-nonce"
OFFER = sdp.write(negotiate.camera_offer(sdp.Transport("u", "p" * 24, ":".join(["AB"] * 32), "actpass"), audio=False))


@pytest.fixture
def opened(kind: str, ring: SimulatedRing, tmp_path: Path) -> Iterator[Open]:
    """Opens a client of the kind for the simulated Ring."""
    with ExitStack() as held:

        def begin(tokens: Any = "sim-token", **given: Any) -> Either:
            settings = Settings(
                ring_url=ring.url, state_dir=tmp_path / "state", resilience=given.pop("resilience", QUICK),
                partner=PartnerSettings(client_id="sim-client", client_secret=Secret("sim-secret")),
            )  # fmt: skip
            return held.enter_context(either(kind, settings=settings, tokens=tokens, **given))

        yield begin


def front_door(one: Either) -> Any:
    return next(device for device in one.do(lambda c: c.devices.list()) if device.name == "Front Door")


def linked(ring: SimulatedRing) -> Stored:
    """Link an account as an installation does, and return where its tokens are."""
    estate = ring.world.partner
    code = estate.install()
    form = {"grant_type": "authorization_code", "code": code, "client_id": "sim-client", "client_secret": "sim-secret"}
    granted = httpx2.post(f"{ring.url}/oauth/token", data=form).json()
    now = time.time()
    pair = TokenPair(Secret(granted["access_token"]), Secret(granted["refresh_token"]), now, now + 14_400)
    store = MemoryPairStore()
    store.write("ava1.ring.account.ADA", pair, over=None)
    estate.links["ada"].status = "completed"
    return Stored(store, "ava1.ring.account.ADA")


# What the methods give.


def test_devices_come_with_what_was_asked_along(opened: Open) -> None:
    one = opened()
    found = one.do(lambda c: c.devices.list(include=["status", "capabilities", "configurations", "location"]))
    assert [device.name for device in found] == ["Front Door", "Back Yard", "Driveway"]
    assert found.stale is None
    for device in found:
        assert device.status.online
        assert device.capabilities.video is not None
        assert device.location.country == "US"
    door = found[0].id
    assert one.do(lambda c: c.devices.get(door)).name == "Front Door"
    assert one.do(lambda c: c.devices.status(door)).online
    assert one.do(lambda c: c.devices.capabilities(door)).video
    assert one.do(lambda c: c.devices.configurations(door)).extra == {}
    assert one.do(lambda c: c.devices.location(door)) in one.do(lambda c: c.locations.list())
    assert one.do(lambda c: c.users.me()).first_name == "Ada"


def test_history_is_gone_through_by_items_and_by_pages(opened: Open, ring: SimulatedRing) -> None:
    one = opened()
    door = front_door(one).id
    for _ in range(60):
        ring.world.partner.pressed(1001, "ding")
    events = one.do(lambda c: c.history.events(door, event_types=["ding"]))
    assert len(events) > 50
    assert [event.start for event in events] == sorted((event.start for event in events), reverse=True)
    pages = one.pages(one.client.history.events(door, event_types=["ding"]))
    assert len(pages) > 1
    assert [event.id for page in pages for event in page] == [event.id for event in events]


def test_history_goes_on_after_an_error_where_it_was(opened: Open, ring: SimulatedRing) -> None:
    one = opened().but(retries=0)
    door = front_door(one).id
    for _ in range(60):
        ring.world.partner.pressed(1001, "ding")
    whole = [event.id for event in one.do(lambda c: c.history.events(door))]
    ring.world.partner.next_calls.extend([(), ("partner-503",)])
    listing = one.client.history.events(door)
    seen: list[str] = []
    with pytest.raises(ServiceUnavailableError) as caught:
        seen += [event.id for page in one.pages(listing) for event in page]
    assert caught.value.cursor is not None
    rest = one.do(lambda c: c.history.events(door, cursor=caught.value.cursor))
    assert [event.id for event in rest] == whole[-len(rest) :]
    assert 0 < len(rest) < len(whole)


def test_the_last_clip_is_saved_whole_where_the_storage_cuts_every_64_kib(
    opened: Open, ring: SimulatedRing, tmp_path: Path
) -> None:
    one = opened()
    door = front_door(one).id
    start = one.do(lambda c: c.history.events(door, event_types=["motion"]))[0].start
    whole = tmp_path / "whole.mp4"
    one.do(lambda c: c.media.clip(door, start, 5, to=whole))
    ring.world.switch(["partner-media-303", "partner-media-cut"])
    told: list[tuple[int, int | None]] = []
    out = tmp_path / "cut.mp4"
    saved = one.do(lambda c: c.media.clip(door, start, 5, to=str(out), progress=lambda *now: told.append(now)))
    assert out.read_bytes() == whole.read_bytes()
    assert saved.size == out.stat().st_size == told[-1][0] == told[-1][1]
    assert saved.resumed == (saved.size - 1) // (64 * 1024)
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_a_still_may_go_into_memory(opened: Open) -> None:
    one = opened()
    door = front_door(one).id
    start = one.do(lambda c: c.history.events(door, event_types=["motion"]))[0].start
    memory = Memory()
    saved = one.do(lambda c: c.media.still(door, start, to=memory))
    assert bytes(memory.data[:3]) == b"\xff\xd8\xff"
    assert saved.size == len(memory.data)


@pytest.mark.parametrize(
    ("switch", "error"),
    [("partner-media-encrypted", MediaError), ("partner-media-missing", MediaNotReadyError)],
)
def test_footage_that_cannot_be_had_leaves_no_file_behind(
    opened: Open, ring: SimulatedRing, tmp_path: Path, switch: str, error: type[RingError]
) -> None:
    one = opened()
    door = front_door(one).id
    start = one.do(lambda c: c.history.events(door, event_types=["motion"]))[0].start
    ring.world.switch([switch])
    with pytest.raises(error):
        one.do(lambda c: c.media.clip(door, start, 5, to=tmp_path / "x.mp4"))
    assert list(tmp_path.glob("x.mp4*")) == []


def test_a_listener_of_progress_that_fails_ends_the_download_and_leaves_nothing(opened: Open, tmp_path: Path) -> None:
    one = opened()
    door = front_door(one).id
    start = one.do(lambda c: c.history.events(door, event_types=["motion"]))[0].start

    def full(done: int, total: int | None) -> None:
        raise OverflowError(f"{done} of {total}")

    with pytest.raises(OverflowError):
        one.do(lambda c: c.media.clip(door, start, 5, to=tmp_path / "x.mp4", progress=full))
    assert list(tmp_path.glob("x.mp4*")) == []
    assert one.do(lambda c: c.users.me()).id


def test_subscriptions_integrations_chimes_and_live_views(opened: Open, ring: SimulatedRing) -> None:
    one = opened()
    subscriptions = one.do(lambda c: c.subscriptions.list())
    assert [one.is_active for one in subscriptions] == [True, False]
    assert [each.id for each in one.do(lambda c: c.subscriptions.each())] == [each.id for each in subscriptions]
    assert one.do(lambda c: c.integrations.pause()).status == "awaiting"
    assert one.do(lambda c: c.integrations.complete()).status == "completed"
    with pytest.raises(PermissionDeniedError) as caught:
        one.do(lambda c: c.integrations.remove())
    assert caught.value.code == "PARTNER-ONE-WAY"
    ring.world.switch(["partner-early-access"])
    chime = next(device for device in one.do(lambda c: c.devices.list()) if device.name == "Hallway Chime")
    slots = one.do(lambda c: c.devices.configurations(chime.id))
    assert slots is not None
    with pytest.raises(RingError):
        one.do(lambda c: c.chimes.play(chime.id, "no such sound"))
    door = front_door(one).id
    session = one.do(lambda c: c.live.open(door, OFFER))
    assert session.answer.startswith("v=0")
    one.do(lambda c: c.live.close(session))
    one.do(lambda c: c.live.close(session))  # one that has ended is closed too


def test_a_nonce_is_claimed_once(opened: Open, ring: SimulatedRing) -> None:
    one = opened(linked(ring))
    ring.world.partner.links["ada"].status = "unclaimed"
    nonce = ring.world.partner.send_person()["nonce"]
    assert one.do(lambda c: c.integrations.confirm(nonce, account_identifier="a***a@x.example")).status == "awaiting"
    with pytest.raises(RingError) as caught:
        one.do(lambda c: c.integrations.confirm(nonce))
    assert caught.value.code == "PARTNER-NONCE"


# Tokens.


def test_tokens_that_ended_are_renewed_once_and_kept(opened: Open, ring: SimulatedRing) -> None:
    where = linked(ring)
    one = opened(where)
    events: list[Event] = []
    one.client.on_event(events.append)
    assert one.do(lambda c: c.users.me()).first_name == "Ada"
    ring.world.switch(["partner-access-ended"])
    raw = one.do(lambda c: c.with_raw_response(c.users.me))
    assert [attempt.status for attempt in raw.attempts] == [401, 200]
    pair = where.store.read(where.account)  # type: ignore[union-attr, arg-type]
    assert pair is not None
    assert pair.generation == 2
    assert [event.id for event in events if isinstance(event, TokenRefreshed)] == [2]


def test_a_link_that_is_lost_is_said_so_and_noticed(opened: Open, ring: SimulatedRing) -> None:
    one = opened(linked(ring))
    notices: list[Notice] = []
    one.client.on_notice(notices.append)
    one.do(lambda c: c.users.me())
    ring.world.switch(["partner-link-lost"])
    for _ in range(3):
        with pytest.raises(LinkLost):
            one.do(lambda c: c.users.me())
    assert [(notice.topic, notice.code, notice.over) for notice in notices] == [("link", "LINK-LOST", False)]


def test_an_access_token_alone_serves_until_it_is_refused(opened: Open, ring: SimulatedRing) -> None:
    one = opened("sim-token")
    one.do(lambda c: c.users.me())
    ring.world.switch(["partner-401"])
    with pytest.raises(AuthenticationError) as caught:
        one.do(lambda c: c.users.me())
    assert caught.value.status == 401
    before = len(ring.world.partner.calls)
    with pytest.raises(AuthenticationError):
        one.do(lambda c: c.users.me())
    assert len(ring.world.partner.calls) == before, "a token that is known to be over is not sent again"


def test_a_pair_is_enough_and_lives_in_memory(opened: Open, ring: SimulatedRing) -> None:
    where = linked(ring)
    pair = where.store.read(where.account)  # type: ignore[union-attr, arg-type]
    assert pair is not None
    one = opened((pair.access.reveal(), pair.refresh.reveal()))
    ring.world.switch(["partner-access-ended"])
    assert one.do(lambda c: c.users.me()).first_name == "Ada"


# Trouble.


def test_what_fails_for_a_passing_reason_is_sent_again_and_tells_its_way(opened: Open, ring: SimulatedRing) -> None:
    one = opened()
    events: list[Event] = []
    end = one.client.on_event(events.append)
    ring.world.partner.next_calls.extend([("partner-503",), ("partner-cut",)])
    raw = one.do(lambda c: c.with_raw_response(c.users.me))
    assert raw.value.first_name == "Ada"
    assert [(attempt.number, attempt.status) for attempt in raw.attempts] == [(1, 503), (2, None), (3, 200)]
    assert raw.status == 200
    assert raw.request_id
    assert raw.stale is None
    assert raw.seconds >= sum(attempt.seconds for attempt in raw.attempts)
    assert [type(event) for event in events] == [Attempt, RetryScheduled, Attempt, RetryScheduled, Attempt]
    end()
    one.do(lambda c: c.users.me())
    assert len(events) == 5


def test_in_an_outage_the_last_known_answer_says_that_it_is_old(opened: Open, ring: SimulatedRing) -> None:
    one = opened()
    events: list[Event] = []
    one.client.on_event(events.append)
    door = front_door(one).id
    one.do(lambda c: c.devices.status(door))
    one.do(lambda c: c.devices.list(include=["status"]))
    ring.world.switch(["partner-503"])
    old = one.do(lambda c: c.devices.status(door))
    assert old.online
    assert 0 <= old.stale.age < 10
    assert isinstance(old.stale.cause, ServiceUnavailableError)
    listed = one.do(lambda c: c.devices.list(include=["status"]))
    assert listed.stale is not None
    assert all(device.stale is not None for device in listed)
    raw = one.do(lambda c: c.with_raw_response(c.devices.status, door))
    assert raw.stale == raw.value.stale
    assert any(isinstance(event, ServedStale) for event in events)
    with pytest.raises(RingError):
        one.but(fallback="never").do(lambda c: c.devices.status(door))
    with pytest.raises(RingError):
        one.do(lambda c: c.history.events(door))  # of which no old answer is of use


def test_off_means_one_attempt_no_wait_and_no_old_answer(opened: Open, ring: SimulatedRing) -> None:
    one = opened()
    one.do(lambda c: c.users.me())
    ring.world.switch(["partner-503"])
    bare = one.but(resilience=Off)
    for _ in range(30):  # more than would open a breaker
        with pytest.raises(ServiceUnavailableError) as caught:
            bare.do(lambda c: c.users.me())
        assert caught.value.attempts == 1
    ring.world.switch([])
    assert bare.do(lambda c: c.users.me()).first_name == "Ada"
    assert one.do(lambda c: c.users.me()).stale is None


def test_each_strategy_can_be_switched_off_for_some_calls(opened: Open, ring: SimulatedRing) -> None:
    one = opened()
    one.do(lambda c: c.users.me())
    ring.world.switch(["partner-503"])
    without = one.but(resilience=Strategies(automatic_retry=False, graceful_degradation=False))
    with pytest.raises(ServiceUnavailableError) as caught:
        without.do(lambda c: c.users.me())
    assert caught.value.attempts == 1


def test_timeout_is_for_the_whole_call(opened: Open, ring: SimulatedRing) -> None:
    one = opened().but(timeout=0.4, fallback="never")
    ring.world.switch(["partner-silent"])
    began = time.monotonic()
    with pytest.raises((DeadlineExceeded, NetworkError)):
        one.do(lambda c: c.users.me())
    assert 0.3 < time.monotonic() - began < 5


def test_what_makes_no_sense_is_refused_before_anything_is_sent(opened: Open, ring: SimulatedRing) -> None:
    one = opened()
    for wrong in ({"timeout": 0}, {"timeout": float("nan")}, {"retries": -1}):
        with pytest.raises(UsageError):
            one.but(**wrong)
    with pytest.raises(UsageError):
        one.do(lambda c: c.devices.status(""))
    assert list(ring.world.partner.calls) == []


def test_a_device_that_is_gone_is_not_found(opened: Open) -> None:
    with pytest.raises(NotFoundError) as caught:
        opened().do(lambda c: c.devices.get("ava1.ring.device.NOBODY"))
    assert (caught.value.operation, caught.value.device) == ("devices.get", "ava1.ring.device.NOBODY")


# Secrets.


def test_no_secret_is_in_a_log_a_repr_an_error_or_an_event(
    opened: Open, ring: SimulatedRing, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    where = linked(ring)
    pair = where.store.read(where.account)  # type: ignore[union-attr, arg-type]
    assert pair is not None
    one = opened(where)
    said: list[str] = [repr(one.client), str(one.client), repr(where), repr(vars(one.client))]
    one.client.on_event(lambda event: said.append(repr(event)))
    door = front_door(one).id
    moment = int(time.time() * 1000) - 600_000

    def clip(client: Any) -> Any:
        return client.media.clip(door, moment, 2, to=tmp_path / "x.mp4")

    asked: list[Callable[[Any], Any]] = [
        lambda c: c.users.me(), lambda c: c.devices.list(), clip, lambda c: c.with_raw_response(c.users.me),
        lambda c: c.integrations.confirm(NONCE), lambda c: c.live.open(door, OFFER),
    ]  # fmt: skip
    secrets = ["sim-secret", NONCE, "security_token", pair.access.reveal(), pair.refresh.reveal()]
    patient = one.but(retries=0, timeout=2, resilience=Strategies(circuit_breaker=False))
    for switch in ("partner-500", "partner-cut", "partner-html", "partner-media-expired", "partner-access-ended",
                   "partner-bad-gzip", "partner-token-503", "partner-link-lost"):  # fmt: skip
        ring.world.switch([switch, "partner-media-303"])
        for method in asked:
            try:
                said.append(repr(patient.do(method)))
            except RingError as error:
                said += ["".join(traceback.format_exception(error)), repr(error)]
                said.append(pickle.dumps(error).decode("latin-1"))
    new = where.store.read(where.account)  # type: ignore[union-attr, arg-type]
    assert new is not None
    assert new.refresh != pair.refresh, "there was a renewal, so there is something to leak"
    secrets += [new.access.reveal(), new.refresh.reveal()]
    everything = "\n".join([*said, caplog.text, *(repr(record.__dict__) for record in caplog.records)])
    assert [secret for secret in secrets if secret in everything] == []
    assert len(said) > 50
    with pytest.raises(TypeError):
        pickle.dumps(one.client)
