"""The account client against a Ring that forgets registrations: registering, calls, cameras."""

import asyncio
import logging
from pathlib import Path

import pytest
from fake_ring import CREDENTIALS, LIFETIME, FakeRing, code_of, said

from ringlight.account import AccountClient
from ringlight.account.registration import REPEAT_EVERY, REPEAT_LATER
from ringlight.errors import AuthError, CameraError, RateLimited
from ringlight.http.flow import Response
from ringlight.secrets import Secret
from ringlight.settings import Settings
from ringlight.store import FileTokenStore, MemoryTokenStore

pytestmark = pytest.mark.anyio


# Registration


async def test_the_registration_is_repeated_every_twelve_hours() -> None:
    ring = FakeRing()
    client = ring.client()
    await client.ticket()
    ring.now += REPEAT_EVERY - 1
    await client.ticket()
    assert len(ring.asked["session"]) == 1
    ring.now += 1
    await asyncio.gather(client.ticket(), client.devices())
    assert [request.headers["hardware_id"] for request in ring.asked["session"]] == ["hw-1", "hw-1"]


@pytest.mark.parametrize("answer", [said(503), said(429), said(406), said(200, "nonsense")])
async def test_a_repetition_that_fails_is_put_off_as_the_former_registration_still_serves(answer: Response) -> None:
    ring = FakeRing()
    client = ring.client()
    await client.ticket()
    ring.now += REPEAT_EVERY
    ring.answers["session"] = [answer]
    assert await client.ticket() == Secret("ticket")
    assert await client.ticket() == Secret("ticket")
    assert len(ring.asked["session"]) == 2
    ring.now += REPEAT_LATER
    await client.ticket()
    assert len(ring.asked["session"]) == 3


async def test_a_repetition_that_is_refused_for_good_is_told() -> None:
    ring = FakeRing()
    client = ring.client()
    await client.ticket()
    ring.now += REPEAT_EVERY
    ring.answers["session"] = [said(403)]
    assert await code_of(client.ticket) == "ACCOUNT-FORBIDDEN"


async def test_a_registration_that_ring_denies_is_not_put_off() -> None:
    ring = FakeRing()
    client = ring.client()
    await client.ticket()
    ring.registered = False
    ring.answers["session"] = [said(429)]
    assert await code_of(client.ticket) == "AUTH-RATE"


# Calls


async def test_the_installation_is_registered_once_for_many_calls() -> None:
    ring = FakeRing()
    client = ring.client()
    await asyncio.gather(client.devices(), client.ticket(), client.account_id(), client.devices())
    assert len(ring.asked["session"]) == 1


async def test_a_forgotten_registration_is_renewed_once_and_the_call_repeated() -> None:
    ring = FakeRing()
    client = ring.client()
    await client.devices()
    ring.registered = False
    counts = await asyncio.gather(*(client.devices() for _ in range(10)))
    assert {len(found) for found in counts} == {2}
    assert len(ring.asked["session"]) == 2


async def test_a_registration_that_does_not_help_is_not_repeated_for_ever() -> None:
    ring = FakeRing()
    client = ring.client()
    ring.answers["clients_api"] = [said(404, {"error": "hw-1"})] * 5
    assert await code_of(client.devices) == "ACCOUNT-SESSION"
    assert len(ring.asked["clients_api"]) == 2


@pytest.mark.parametrize(("at", "code"), [("clients_api", "AUTH-TOKEN"), ("ticket", "TICKET-REFUSED")])
async def test_a_refusal_renews_once_and_no_more(at: str, code: str) -> None:
    ring = FakeRing()
    client = ring.client()
    ring.answers[at] = [said(401)] * 5
    with pytest.raises(AuthError) as caught:
        await (client.devices() if at == "clients_api" else client.ticket())
    assert caught.value.code == code
    assert (len(ring.asked[at]), len(ring.asked["token"])) == (2, 1)


async def test_a_refused_registration_renews_too() -> None:
    ring = FakeRing()
    client = ring.client()
    ring.answers["session"] = [said(401)]
    assert await client.ticket() == Secret("ticket")
    assert (len(ring.asked["session"]), len(ring.asked["token"])) == (2, 1)


async def test_rate_limits_reach_the_caller_with_their_pause() -> None:
    ring = FakeRing()
    ring.answers["session"] = [said(429, {}, {"Retry-After": "7"})]
    client = ring.client()
    with pytest.raises(RateLimited) as caught:
        await client.devices()
    assert caught.value.retry_after == 7.0
    ring.now += 6
    with pytest.raises(RateLimited) as caught:
        await client.devices()
    assert caught.value.retry_after == 1.0
    assert len(ring.asked["session"]) == 1, "nobody asks again before that"
    ring.now += 1
    assert len(await client.devices()) == 2


async def test_the_account_id_comes_from_the_registration() -> None:
    ring = FakeRing()
    client = ring.client()
    assert await client.account_id() == 4711
    assert (await client.profile()).email == "ada@ringlight.test"


async def test_an_account_without_an_id_is_a_fault_only_for_those_who_ask() -> None:
    ring = FakeRing()
    ring.answers["session"] = [said(200, {"profile": {}})]
    ring.registered = True
    client = ring.client()
    assert await code_of(client.account_id) == "ACCOUNT-ID"
    assert await client.ticket() == Secret("ticket")
    assert len(ring.asked["session"]) == 1


async def test_an_account_that_had_no_id_is_asked_for_it_again() -> None:
    """Somebody has signed in again meanwhile, as the fault advises; twelve hours would be long to wait."""
    ring = FakeRing()
    ring.answers["session"] = [said(200, {"profile": {}}), said(200, {"profile": {}})]
    client = ring.client()
    assert await code_of(client.account_id) == "ACCOUNT-ID"
    assert await code_of(client.account_id) == "ACCOUNT-ID"
    assert await client.account_id() == 4711
    assert await client.account_id() == 4711
    assert len(ring.asked["session"]) == 3


@pytest.mark.parametrize("wanted", ["Back Yard", " back yard ", "BACK YARD", "1002", 1002])
async def test_a_camera_by_name_or_id(wanted: str | int) -> None:
    assert (await FakeRing().client().device(wanted)).id == 1002


@pytest.mark.parametrize("wanted", ["Garage", "", 1, "Chime"])
async def test_an_unknown_camera_names_the_known_ones(wanted: str | int) -> None:
    with pytest.raises(CameraError) as caught:
        await FakeRing().client().device(wanted)
    assert caught.value.code == "CAM-UNKNOWN"
    assert "known: Front Door, Back Yard" in str(caught.value.detail)


async def test_changes_of_state_are_logged_once_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ringlight.account")
    ring = FakeRing()
    client = ring.client(MemoryTokenStore(), credentials=CREDENTIALS)
    await client.devices()
    await client.devices()
    ring.now += LIFETIME
    await client.devices()
    await client.sign_out()
    assert [record.getMessage() for record in caplog.records] == [
        "signed_in expires_in=3600",
        "registered account_id=4711",
        "refreshed expires_in=3600",
        "signed_out",
    ]


async def test_opening_reads_the_settings_and_keeps_tokens_in_the_state_directory(tmp_path: Path) -> None:
    settings = Settings(ring_url="http://127.0.0.1:1", state_dir=tmp_path)
    async with AccountClient.open(settings) as account:
        assert await code_of(account.access_token) == "AUTH-SIGNED-OUT"
        tokens = FakeRing().tokens(expires_in=10**9)
        FileTokenStore(tmp_path / "tokens.json").save(tokens)
        assert await account.access_token() == tokens.access
