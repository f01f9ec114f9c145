"""Ringlight's account client against the simulated Ring over real HTTP: every way in, and what goes wrong there."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ringlight.account import AccountClient, Credentials, parse_token_file
from ringlight.errors import RateLimited, RingError
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request
from ringlight.secrets import Secret
from ringlight.settings import Settings
from ringlight.simulator.tokens import Tokens
from ringlight.simulator.world import World
from ringlight.store import FileTokenStore, MemoryTokenStore, TokenStore
from ringlight.testing import SimulatedRing, simulator

pytestmark = pytest.mark.anyio

ADA, PASSWORD, CODE = "ada@ringlight.test", Secret("ringlight"), "123456"
KNOWN = Credentials(ADA, PASSWORD, CODE)


@asynccontextmanager
async def _account(
    world: World | None = None, store: TokenStore | None = None, *, known: Credentials | None = None
) -> AsyncIterator[tuple[AccountClient, SimulatedRing]]:
    async with simulator(world) as ring:
        settings = Settings(ring_url=ring.url)
        async with AccountClient.open(settings, store=store or MemoryTokenStore(), credentials=known) as account:
            yield account, ring


async def _error(work: "asyncio.Future[object] | object") -> RingError:
    with pytest.raises(RingError) as caught:
        await work  # type: ignore[misc]
    return caught.value


# The sign-in in steps


async def test_the_pages_ask_for_a_code_and_lead_to_tokens_that_work_everywhere(tmp_path: Path) -> None:
    store = FileTokenStore(tmp_path / "tokens.json")
    async with _account(store=store) as (account, ring):
        error = await _error(account.sign_in(ADA, PASSWORD, flow="code"))
        assert (error.code, error.detail) == ("AUTH-CODE-NEEDED", "HTTP 412: sms to +xxxxxxxxx12")
        assert (await _error(account.sign_in(ADA, PASSWORD, "000000", flow="code"))).code == "AUTH-CODE-WRONG"
        assert store.load() is None
        await account.sign_in(ADA, PASSWORD, CODE, flow="code")
        assert len(await account.devices()) == 3
        assert await account.ticket()
        assert ring.world.hardware_ids == {store.hardware_id()}


async def test_the_first_pair_is_kept_before_it_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash or a refusal between the two must not cost the person another code."""
    store = MemoryTokenStore()
    async with _account(World(asks_code=False), store) as (account, _):
        with monkeypatch.context() as patch:
            patch.setattr(Tokens, "rotate", lambda *_: None)
            assert (await _error(account.sign_in(ADA, PASSWORD, flow="code"))).code == "AUTH-LINK-LOST"
        assert store.load() is not None
        assert len(await account.devices()) == 3, "a 401 renews it later"


async def test_an_account_without_a_second_step_is_in_at_once() -> None:
    async with _account(World(asks_code=False)) as (account, _):
        await account.sign_in(ADA, PASSWORD, flow="code")
        assert len(await account.devices()) == 3
        await account.sign_out()
        await account.sign_in(ADA, PASSWORD)
        assert len(await account.devices()) == 3


async def test_a_code_that_comes_before_its_question_only_brings_the_question() -> None:
    """As after a restart: the visit that the code belonged to is gone, and so is the worth of the code."""
    async with _account() as (account, _):
        assert (await _error(account.sign_in(ADA, PASSWORD, CODE, flow="code"))).code == "AUTH-CODE-NEEDED"
        await account.sign_in(ADA, PASSWORD, CODE, flow="code")


@pytest.mark.parametrize(
    ("pages", "words"), [("no-csrf", "csrf"), ("other-state", "state"), ("bad-code", "refuses the code")]
)
async def test_pages_that_are_not_as_expected_give_no_sign_in(pages: str, words: str) -> None:
    store = MemoryTokenStore()
    async with _account(World(sign_in_pages=pages, asks_code=False), store) as (account, _):
        error = await _error(account.sign_in(ADA, PASSWORD, flow="code"))
    assert error.code == "AUTH-PAGES"
    assert words in str(error.detail)
    assert store.load() is None


async def test_a_wrong_password_on_the_page_is_one() -> None:
    async with _account() as (account, _):
        assert (await _error(account.sign_in(ADA, Secret("x"), flow="code"))).code == "AUTH-PASSWORD"


@pytest.mark.parametrize("fields", ["csrf-token=wrong&username=a&password=b", "username=a", ""])
@pytest.mark.parametrize("path", ["signin", "2fa/verify"])
async def test_a_form_without_its_csrf_token_is_refused(path: str, fields: str) -> None:
    form = dict(pair.split("=") for pair in fields.split("&") if pair)
    async with simulator() as ring, AsyncDriver(base_url=ring.url) as driver:
        answer = await driver.send(Request("POST", f"https://oauth.ring.com/oauth/v2/{path}", form=form))
    assert (answer.status, answer.json()) == (403, {"error": "Invalid CSRF token"})


@pytest.mark.parametrize("missing", ["state", "code_challenge", "redirect_uri", "client_id", "code_challenge_method"])
async def test_authorize_wants_its_parameters(missing: str) -> None:
    query = {"response_type": "code", "client_id": "ring_official_android", "redirect_uri": "x", "state": "s",
             "code_challenge": "c", "code_challenge_method": "S256"}  # fmt: skip
    del query[missing]
    url = "https://oauth.ring.com/oauth/v2/authorize?" + "&".join(f"{name}={value}" for name, value in query.items())
    async with simulator() as ring, AsyncDriver(base_url=ring.url) as driver:
        assert (await driver.send(Request("GET", url))).status == 400


async def test_a_code_works_once_and_for_its_verifier_only() -> None:
    world = World()
    code = world.tokens.make_code("c", "x")
    assert not world.tokens.use_code(code, "other", "x")
    assert not world.tokens.use_code(code, "c", "x"), "a wrong verifier spends it"
    code = world.tokens.make_code("c", "x")
    assert world.tokens.use_code(code, "c", "x")
    assert not world.tokens.use_code(code, "c", "x")


async def test_the_tokens_of_a_code_are_refused_elsewhere_until_renewed() -> None:
    world = World()
    granted = world.tokens.grant(usable=False)
    assert not world.tokens.knows(f"Bearer {granted['access_token']}")
    renewed = world.tokens.rotate(granted["refresh_token"])
    assert renewed is not None
    assert world.tokens.knows(f"Bearer {renewed['access_token']}")


# Tokens


async def test_a_spent_refresh_token_has_a_grace_if_the_world_grants_one() -> None:
    clock = [0.0]
    world = World(now=lambda: clock[0], rotation_grace=5.0)
    first = world.tokens.grant()["refresh_token"]
    assert world.tokens.rotate(first)
    clock[0] = 4.9
    assert world.tokens.rotate(first)
    clock[0] = 5.0
    assert world.tokens.rotate(first) is None
    assert World().tokens.rotate(first) is None


@pytest.mark.parametrize(
    ("switch", "code", "wait"),
    [("edge-406", "AUTH-EDGE-BLOCK", 3600.0), ("rate-429", "AUTH-RATE", 3.0), ("rate-429-date", "AUTH-RATE", 3.0),
     ("token-not-json", "AUTH-ANSWER", None), ("wrong-password", "AUTH-PASSWORD", None)],
)  # fmt: skip
@pytest.mark.parametrize("flow", ["password", "code"])
async def test_what_the_switches_do_to_a_sign_in(switch: str, code: str, wait: float | None, flow: str) -> None:
    began = time.monotonic()
    async with _account(World(asks_code=False)) as (account, ring):
        ring.world.switch([switch])
        error = await _error(account.sign_in(ADA, PASSWORD, flow=flow))  # type: ignore[arg-type]
        if (switch, flow) == ("token-not-json", "code"):
            code = "AUTH-PAGES"  # the hotel's page comes where the sign-in page should
        assert error.code == code
        if wait is None:
            assert error.retry_after is None
        else:
            assert isinstance(error, RateLimited)
            # The date of an answer is that of a beat of the server: as old as the server itself on a busy machine.
            late = time.monotonic() - began if switch == "rate-429-date" else 0.0
            assert error.retry_after is not None
            assert wait - 1.1 <= error.retry_after <= wait + 1.1 + late
        ring.world.switch([])
        await account.sign_in(ADA, PASSWORD, flow=flow)  # type: ignore[arg-type]
        assert len(await account.devices()) == 3


async def test_a_hotels_page_for_tokens_costs_nobody_the_sign_in() -> None:
    async with _account() as (account, ring):
        assert (await _error(account.sign_in(ADA, PASSWORD))).code == "AUTH-CODE-NEEDED"
        await account.sign_in(ADA, PASSWORD, CODE)
        ring.world.switch(["token-not-json"])
        assert (await _error(account.devices())).code == "AUTH-ANSWER"
        ring.world.switch([])
        assert len(await account.devices()) == 3


# Registration and tickets


async def test_a_forgotten_registration_is_made_again_without_a_word() -> None:
    async with _account(known=KNOWN) as (account, ring):
        await account.devices()
        ring.world.switch(["session-lapsed"])
        assert ring.world.hardware_ids == set()
        assert len(await account.devices()) == 3
        assert len(ring.world.hardware_ids) == 1


async def test_a_registration_that_is_never_kept_is_told() -> None:
    async with _account(known=KNOWN) as (account, ring):
        ring.world.switch(["session-denied"])
        assert (await _error(account.devices())).code == "ACCOUNT-SESSION"


async def test_the_404_names_the_hardware_id_until_it_is_registered() -> None:
    world = World(needs_registration=True)
    bearer = Secret(str(world.tokens.grant()["access_token"]))
    async with simulator(world) as ring, AsyncDriver(base_url=ring.url) as driver:
        for path in ("ring_devices", "doorbots/1001/history", "profile"):
            url = f"https://api.ring.com/clients_api/{path}"
            request = Request("GET", url, headers={"hardware_id": "hw-7"}, bearer=bearer)
            assert (await driver.send(request)).json() == {"error": "Session not found for hardware id hw-7"}
            world.hardware_ids.add("hw-7")
            assert (await driver.send(request)).status == 200
            world.hardware_ids.clear()


@pytest.mark.parametrize(
    ("switch", "code"),
    [("ticket-401", "TICKET-REFUSED"), ("ticket-403", "TICKET-REFUSED"), ("ticket-406", "AUTH-EDGE-BLOCK"),
     ("ticket-500", "RING-DOWN"), ("ticket-not-json", "TICKET-ANSWER"), ("edge-406", "AUTH-EDGE-BLOCK"),
     ("rate-429", "RING-RATE"), ("rate-429-date", "RING-RATE")],
)  # fmt: skip
async def test_what_the_switches_do_to_a_ticket(switch: str, code: str) -> None:
    async with _account(known=KNOWN) as (account, ring):
        await account.ticket()
        ring.world.switch([switch])
        error = await _error(account.ticket())
        assert error.code == code
        assert code != "RING-RATE" or error.retry_after == pytest.approx(3.0, abs=1.1)
        ring.world.switch([])
        assert await account.ticket()


async def test_a_slow_ticket_runs_into_the_deadline() -> None:
    async with _account(known=KNOWN) as (account, ring):
        await account.ticket()
        ring.world.delays = type(ring.world.delays)(ticket=0.3)
        account._driver._timeout = 0.1  # type: ignore[attr-defined]
        assert (await _error(account.ticket())).code == "NET-TIMEOUT"


# Tokens of another program


@pytest.mark.parametrize("wrapped", [False, True])
async def test_the_token_file_of_another_program_is_taken_over(wrapped: bool, tmp_path: Path) -> None:
    import base64

    world, store = World(), FileTokenStore(tmp_path / "tokens.json")
    granted = world.tokens.grant()
    packed = json.dumps({"rt": granted["refresh_token"], "hid": "their-hw", "pnc": {}}).encode()
    content = base64.b64encode(packed) if wrapped else json.dumps(granted).encode()
    async with _account(world, store) as (account, ring):
        await account.adopt(parse_token_file(content))
        assert len(await account.devices()) == 3
        assert ring.world.hardware_ids == {"their-hw" if wrapped else store.hardware_id()}
        assert (await _error(account.adopt(parse_token_file(content)))).code == "AUTH-LINK-LOST"
        assert len(await account.devices()) == 3
