"""The tokens of a person's account against a Ring that rotates them: signing in, renewing, waiting, taking over."""

import asyncio
from pathlib import Path

import pytest
from fake_ring import CREDENTIALS, LIFETIME, START, FakeRing, code_of, said

from ringlight.account import Credentials
from ringlight.account.importing import Imported
from ringlight.account.keeper import TokenKeeper
from ringlight.errors import RateLimited, SetupError, fault_error
from ringlight.http.flow import Response
from ringlight.secrets import Secret
from ringlight.store import FileTokenStore, MemoryTokenStore, Tokens

pytestmark = pytest.mark.anyio


# Signing in and out


async def test_signing_in_takes_two_steps_and_keeps_one_hardware_id() -> None:
    ring, store = FakeRing(), MemoryTokenStore()
    client = ring.client(store)
    assert await code_of(lambda: client.sign_in("ada@ringlight.test", Secret("ringlight"))) == "AUTH-CODE-NEEDED"
    await client.sign_in("ada@ringlight.test", Secret("ringlight"), "123456")
    assert [request.headers["hardware_id"] for request in ring.asked["token"]] == [store.hardware_id()] * 2
    assert store.load() == Tokens(
        Secret("access-1"), Secret("refresh-1"), START + LIFETIME, store.hardware_id(), "ada@ringlight.test"
    )
    assert await client.access_token() == Secret("access-1")


async def test_a_hardware_id_outlives_signing_out(tmp_path: Path) -> None:
    ring, store = FakeRing(), FileTokenStore(tmp_path / "tokens.json")
    ring.wants_code = False
    client = ring.client(store)
    await client.sign_in("ada@ringlight.test", Secret("ringlight"))
    await client.sign_out()
    assert store.load() is None
    assert await code_of(client.access_token) == "AUTH-SIGNED-OUT"
    await client.sign_in("ada@ringlight.test", Secret("ringlight"))
    first, second = ring.asked["token"]
    assert first.headers["hardware_id"] == second.headers["hardware_id"]


async def test_without_tokens_nothing_is_asked() -> None:
    ring = FakeRing()
    client = ring.client(MemoryTokenStore())
    for use in (client.access_token, client.devices, client.ticket, client.account_id):
        assert await code_of(use) == "AUTH-SIGNED-OUT"
    assert not ring.driver.requests


async def test_credentials_sign_in_by_themselves_as_a_person_would() -> None:
    """First without a code, which makes Ring send one, then with it."""
    ring = FakeRing()
    client = ring.client(MemoryTokenStore(), credentials=CREDENTIALS)
    assert len(await client.devices()) == 2
    assert [request.headers["2fa-code"] for request in ring.asked["token"]] == [Secret(""), Secret("123456")]


async def test_credentials_sign_in_again_after_a_lost_link() -> None:
    ring = FakeRing()
    store = MemoryTokenStore(ring.tokens(expires_in=0))
    ring.tokens()  # somebody else took the next pair
    assert await ring.client(store, credentials=CREDENTIALS).access_token() == Secret("access-3")


async def test_wrong_credentials_say_so_themselves() -> None:
    client = FakeRing().client(MemoryTokenStore(), credentials=Credentials("ada@ringlight.test", Secret("wrong")))
    assert await code_of(client.access_token) == "AUTH-PASSWORD"


async def test_a_lost_link_is_an_error_and_keeps_the_file(tmp_path: Path) -> None:
    ring, store = FakeRing(), FileTokenStore(tmp_path / "tokens.json")
    tokens = ring.tokens(expires_in=0)
    store.save(tokens)
    ring.tokens()
    client = ring.client(store)
    assert await code_of(client.access_token) == "AUTH-LINK-LOST"
    assert store.load() == tokens


# Renewing


async def test_a_good_token_is_handed_out_without_asking() -> None:
    ring = FakeRing()
    client = ring.client()
    for _ in range(3):
        assert await client.access_token() == Secret("access-1")
    assert not ring.driver.requests


@pytest.mark.parametrize(("left", "renewals"), [(61.0, 0), (60.0, 1), (0.0, 1), (-9999.0, 1)])
async def test_a_token_is_renewed_a_minute_before_its_end(left: float, renewals: int) -> None:
    ring = FakeRing()
    client = ring.client()
    await client.access_token()
    ring.now = START + LIFETIME - left
    await client.access_token()
    assert len(ring.asked["token"]) == renewals


async def test_fifty_tasks_make_one_renewal() -> None:
    ring = FakeRing()
    client = ring.client(MemoryTokenStore(ring.tokens(expires_in=0)))
    tokens = await asyncio.gather(*(client.access_token() for _ in range(50)))
    assert set(tokens) == {Secret("access-2")}
    assert len(ring.asked["token"]) == 1


async def test_fifty_refused_tasks_make_one_renewal() -> None:
    ring = FakeRing()
    client = ring.client()
    await client.devices()
    ring.answers["clients_api"] = [said(401)] * 50
    assert {len(found) for found in await asyncio.gather(*(client.devices() for _ in range(50)))} == {2}
    assert len(ring.asked["token"]) == 1


async def test_a_failed_renewal_fails_all_who_waited_and_the_next_try_is_new() -> None:
    ring = FakeRing()
    ring.answers["token"] = [said(503)]
    client = ring.client(MemoryTokenStore(ring.tokens(expires_in=0)))
    results = await asyncio.gather(*(client.access_token() for _ in range(5)), return_exceptions=True)
    assert [getattr(result, "code", None) for result in results] == ["AUTH-UNAVAILABLE"] * 5
    assert await client.access_token() == Secret("access-2")


async def test_a_cancelled_caller_does_not_take_the_rotated_pair_with_it() -> None:
    """Ring has spent the old refresh token by then: without the new one only a person could sign in again."""
    ring = FakeRing()
    ring.gate = asyncio.Event()
    store = MemoryTokenStore(ring.tokens(expires_in=0))
    client = ring.client(store)
    leader = asyncio.create_task(client.access_token())
    follower = asyncio.create_task(client.access_token())
    await ring.rotated.wait()
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    ring.gate.set()
    assert await follower == Secret("access-2")
    assert store.load() is not None
    assert await client.access_token() == Secret("access-2")
    assert len(ring.asked["token"]) == 1


async def test_closing_waits_for_a_pair_that_is_on_its_way() -> None:
    ring = FakeRing()
    ring.gate = asyncio.Event()
    store = MemoryTokenStore(ring.tokens(expires_in=0))
    client = ring.client(store)
    only = asyncio.create_task(client.access_token())
    await ring.rotated.wait()
    only.cancel()
    closing = asyncio.create_task(client.aclose())
    ring.gate.set()
    await closing
    kept = store.load()
    assert kept is not None
    assert kept.refresh == Secret("refresh-2")


async def test_a_failed_renewal_that_nobody_waits_for_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    ring = FakeRing()
    ring.gate = asyncio.Event()
    client = ring.client(MemoryTokenStore(ring.tokens(expires_in=0)))
    only = asyncio.create_task(client.access_token())
    await ring.rotated.wait()
    only.cancel()
    ring.mark = "elsewhere"  # whatever comes back now is of no use
    ring.gate.set()
    await client.aclose()
    assert not [record for record in caplog.records if record.name == "asyncio"]


async def test_a_newer_pair_in_the_store_is_used_instead_of_renewing() -> None:
    """Another process was quicker."""
    ring = FakeRing()
    store = MemoryTokenStore(ring.tokens(expires_in=0))
    client = ring.client(store)
    store.save(ring.tokens())
    assert await client.access_token() == Secret("access-2")
    assert not ring.driver.requests


async def test_a_newer_pair_in_the_store_helps_after_a_refusal_too() -> None:
    ring = FakeRing()
    store = MemoryTokenStore(ring.tokens())
    client = ring.client(store)
    await client.devices()
    store.save(ring.tokens())
    assert len(await client.devices()) == 2
    assert not ring.asked["token"]


async def test_a_renewal_that_began_before_a_refusal_does_not_answer_it() -> None:
    """It may end with the very token that was refused meanwhile; whoever was refused then renews again."""
    ring = FakeRing()
    store = MemoryTokenStore(ring.tokens(expires_in=0))
    keeper = TokenKeeper(store, ring.driver, clock=lambda: ring.now, credentials=None)
    async with store.lock():
        early = asyncio.create_task(keeper.tokens())
        await asyncio.sleep(0)
        newer = ring.tokens()
        late = asyncio.create_task(keeper.tokens(refused=newer.access))
        await asyncio.sleep(0)
        store.save(newer)
    assert (await early).access == Secret("access-2")
    assert (await late).access == Secret("access-3")


@pytest.mark.parametrize("answer", [said(503), said(406), said(429), said(200, "no tokens")])
async def test_the_last_minute_of_a_token_bridges_an_outage(answer: object) -> None:
    ring = FakeRing()
    client = ring.client()
    await client.access_token()
    ring.answers["token"] = [answer, answer]  # type: ignore[list-item]
    ring.now += LIFETIME - 30
    assert await client.access_token() == Secret("access-1")
    ring.now += 30
    assert (await code_of(client.access_token)).startswith("AUTH-")


async def test_the_last_minute_does_not_hide_a_lost_link() -> None:
    ring = FakeRing()
    client = ring.client()
    await client.access_token()
    ring.answers["token"] = [said(401, {"error": "invalid_grant"})]
    ring.now += LIFETIME - 30
    assert await code_of(client.access_token) == "AUTH-LINK-LOST"


class _FullDisk(MemoryTokenStore):
    full = True

    def save(self, tokens: Tokens) -> None:
        if self.full:
            raise fault_error("CFG-STATE-DIR", "no space left on device")
        super().save(tokens)


async def test_a_pair_that_cannot_be_saved_is_not_handed_out_and_not_lost() -> None:
    ring = FakeRing()
    store = _FullDisk(ring.tokens(expires_in=0))
    client = ring.client(store)
    for _ in range(2):
        with pytest.raises(SetupError):
            await client.access_token()
    store.full = False
    assert await client.access_token() == Secret("access-2")
    kept = store.load()
    assert kept is not None
    assert kept.refresh == Secret("refresh-2")
    assert len(ring.asked["token"]) == 1


async def test_an_unsaved_pair_gives_way_to_a_new_sign_in_by_another_process() -> None:
    ring = FakeRing()
    store = _FullDisk(ring.tokens(expires_in=0))
    client = ring.client(store)
    with pytest.raises(SetupError):
        await client.access_token()
    store.full = False
    store.save(ring.tokens())
    assert await client.access_token() == Secret("access-3")


# Asked to wait


@pytest.mark.parametrize(
    ("answer", "wait"),
    [(said(429, {}, {"Retry-After": "30"}), 30), (said(429), 600), (said(406), 3600),
     (said(400, {"error_description": "too many requests from dependency service"}), 600)],
)  # fmt: skip
async def test_a_renewal_is_not_repeated_before_ring_allows_it(answer: Response, wait: float) -> None:
    ring = FakeRing()
    ring.answers["token"] = [answer]
    client = ring.client(MemoryTokenStore(ring.tokens(expires_in=0)))
    with pytest.raises(RateLimited) as first:
        await client.access_token()
    ring.now += wait - 1
    with pytest.raises(RateLimited) as second:
        await client.access_token()
    assert (first.value.retry_after, second.value.retry_after) == (wait, 1.0)
    assert first.value.code == second.value.code
    assert len(ring.asked["token"]) == 1
    ring.now += 1
    assert await client.access_token() == Secret("access-2")


async def test_a_person_may_sign_in_while_a_program_has_to_wait() -> None:
    """They may have left the VPN; and once that worked the wait is over."""
    ring = FakeRing()
    ring.wants_code = False
    ring.answers["token"] = [said(406)]
    client = ring.client(MemoryTokenStore(ring.tokens(expires_in=0)))
    assert await code_of(client.access_token) == "AUTH-EDGE-BLOCK"
    await client.sign_in("ada@ringlight.test", Secret("ringlight"))
    ring.now += LIFETIME
    assert await client.access_token() == Secret("access-3")


async def test_credentials_do_not_hammer_a_closed_door() -> None:
    ring = FakeRing()
    ring.answers["token"] = [said(406)]
    client = ring.client(MemoryTokenStore(), credentials=CREDENTIALS)
    for _ in range(5):
        assert await code_of(client.access_token) == "AUTH-EDGE-BLOCK"
    assert len(ring.asked["token"]) == 1


async def test_waiting_does_not_keep_from_using_what_another_process_got() -> None:
    ring = FakeRing()
    store = MemoryTokenStore(ring.tokens(expires_in=0))
    ring.answers["token"] = [said(429)]
    client = ring.client(store)
    assert await code_of(client.access_token) == "AUTH-RATE"
    store.save(ring.tokens())
    assert await client.access_token() == Secret("access-2")


# Tokens of another program


async def test_another_programs_token_is_renewed_at_once_and_its_hardware_id_taken_over(tmp_path: Path) -> None:
    ring, store = FakeRing(), FileTokenStore(tmp_path / "tokens.json")
    theirs = ring.tokens().refresh
    own = store.hardware_id()
    client = ring.client(store)
    await client.adopt(Imported(theirs, "their-hw"))
    assert own != "their-hw"
    assert store.load() == Tokens(Secret("access-2"), Secret("refresh-2"), START + LIFETIME, "their-hw", None)
    assert store.hardware_id() == "their-hw"
    await client.ticket()
    sent = [request.headers["hardware_id"] for step in ("token", "session", "ticket") for request in ring.asked[step]]
    assert sent == ["their-hw"] * 3


async def test_without_a_hardware_id_in_the_file_our_own_stays() -> None:
    ring, store = FakeRing(), MemoryTokenStore()
    own = store.hardware_id()
    await ring.client(store).adopt(Imported(ring.tokens().refresh, None))
    assert store.hardware_id() == own
    assert ring.asked["token"][0].headers["hardware_id"] == own


async def test_a_spent_token_of_another_program_leaves_our_own_sign_in_alone() -> None:
    ring = FakeRing()
    theirs = ring.tokens().refresh
    ours = ring.tokens()
    store = MemoryTokenStore(ours)
    client = ring.client(store)
    assert await code_of(lambda: client.adopt(Imported(theirs, "their-hw"))) == "AUTH-LINK-LOST"
    assert store.load() == ours
    assert store.hardware_id() == "hw-1"


async def test_an_adopted_pair_that_cannot_be_saved_is_not_lost() -> None:
    ring = FakeRing()
    theirs = ring.tokens().refresh
    store = _FullDisk()
    client = ring.client(store)
    with pytest.raises(SetupError):
        await client.adopt(Imported(theirs, "their-hw"))
    store.full = False
    assert await client.access_token() == Secret("access-2")
    assert store.hardware_id() == "their-hw"
