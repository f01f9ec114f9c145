"""What is true of both clients at once: the same methods, a light import, options that stay with who chose them."""

import asyncio
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import ringlight.partner
from ringlight.errors import AuthError, RingError, SetupError
from ringlight.partner import AsyncClient, Client, Memory, Off, Stored, async_groups, groups, plain
from ringlight.partner.choices import chosen
from ringlight.partner.raw import raw, recording
from ringlight.resilience.options import BARE, Options
from ringlight.secrets import Secret
from ringlight.settings import PartnerSettings, ResilienceSettings, Settings
from ringlight.store.pairs import MemoryPairStore, TokenPair
from ringlight.testing import SimulatedRing

GROUPS = [name for name in groups.__all__ if name not in {"Group", "Paged"}]
RENAMED = {"close": "aclose", "__enter__": "__aenter__", "__exit__": "__aexit__", "__iter__": "__aiter__"}


def methods(kind: type[Any]) -> dict[str, Callable[..., Any]]:
    """Return what a class has for its users, by the names of the asynchronous twin."""
    special = {*RENAMED, *RENAMED.values()}
    own = {
        name: one
        for name, one in vars(kind).items()
        if inspect.isfunction(one) and (name in special or not name.startswith("_"))
    }
    return {RENAMED.get(name, name) if kind is Client else name: one for name, one in own.items()}


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_has_the_same_methods_in_both_clients(name: str) -> None:
    one, other = methods(getattr(groups, name)), methods(getattr(async_groups, f"Async{name}"))
    assert one.keys() == other.keys()
    assert one, "a group without methods"
    for method, sync in one.items():
        twin = other[method]
        assert inspect.signature(sync).parameters == inspect.signature(twin).parameters, method
        assert sync.__doc__ == twin.__doc__, method
        assert sync.__doc__, method
        returned = str(inspect.signature(twin).return_annotation).replace("Async", "").replace("async_", "")
        assert str(inspect.signature(sync).return_annotation) == returned, method


def test_the_clients_themselves_have_the_same_methods() -> None:
    one, other = methods(Client), methods(AsyncClient)
    assert one.keys() == other.keys()
    for name, sync in one.items():
        assert list(inspect.signature(sync).parameters) == list(inspect.signature(other[name]).parameters), name
        assert name.startswith("__") or sync.__doc__, name
    sync_init, async_init = (list(inspect.signature(kind).parameters) for kind in (Client, AsyncClient))
    assert sync_init == [name for name in async_init if name != "session"]
    assert set(Client.__annotations__) == set(AsyncClient.__annotations__)


def test_importing_the_package_costs_at_most_60_ms_over_httpx2_and_imports_no_client() -> None:
    """The median of five processes, in processor time: others use the machine too."""
    source = (
        "import time, json, sys, httpx2; a = time.process_time(); import ringlight.partner; "
        "print(json.dumps([time.process_time() - a, 'ringlight.partner.client' in sys.modules]))"
    )
    runs = [json.loads(subprocess.check_output([sys.executable, "-c", source])) for _ in range(5)]
    assert sorted(seconds for seconds, _ in runs)[2] <= 0.060
    assert not any(loaded for _, loaded in runs)


def test_a_client_is_imported_without_what_it_does_not_need() -> None:
    source = "import sys; from ringlight.partner import AsyncClient, Client; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", source], text=True).split())
    assert not loaded & {"pydantic", "pydantic_settings", "aiohttp", "sqlalchemy", "opentelemetry", "aiortc", "av"}
    assert "ringlight.faults" in loaded
    assert not loaded & {"ringlight.faults.explaining", "ringlight.faults.sayings"}


def test_a_client_without_an_event_loop_is_imported_without_one() -> None:
    source = "import sys; from ringlight.partner import Client; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", source], text=True).split())
    assert not loaded & {"asyncio", "ringlight.partner.async_client"}


def test_every_exported_name_is_there_and_no_other() -> None:
    assert all(getattr(ringlight.partner, name) is not None for name in ringlight.partner.__all__)
    with pytest.raises(AttributeError):
        _ = ringlight.partner.nothing


def test_options_are_those_of_who_chose_them() -> None:
    with Client(tokens="a", settings=Settings()) as one:
        other = one.with_options(timeout=3, retries=0).with_options(fallback="never")
        assert other._options == Options(total=3, attempts=1, fallback="never")
        assert other.devices._options == other._options
        assert one._options == one.devices._options == Options()
        assert other._runner is one._runner
    assert chosen(Options(fallback="stale"), resilience=Off) == Options(
        fallback="stale", strategies=BARE, gate=False, attempts=1
    )


def test_off_for_a_whole_client() -> None:
    with Client(tokens="a", settings=Settings(), resilience=Off) as one:
        assert one._options == Options(strategies=BARE, gate=False, attempts=1)
    with Client(tokens="a", settings=Settings(), resilience=ResilienceSettings(attempts=7)) as one:
        assert one._runner.shared.settings.attempts == 7


def test_what_records_hears_its_own_calls_alone() -> None:
    with recording() as outer:
        with recording() as inner:
            pass
        assert outer is not inner
    assert raw("x", 1.5, outer).attempts == ()
    assert raw("x", 1.5, outer).request_id is None


def test_what_is_missing_is_said() -> None:
    with pytest.raises(SetupError, match="client_id"):
        Client(tokens=("a", "b"), settings=Settings())
    with pytest.raises(SetupError, match="ring_url"):
        Client(tokens="a", ring_url="nowhere", settings=Settings())
    with pytest.raises(SetupError, match="pair"):
        Client(client_id="c", client_secret="s", tokens=("a", ""), settings=Settings())


def test_a_store_with_one_account_needs_no_id_and_one_with_more_does(tmp_path: Path) -> None:
    settings = Settings(partner=PartnerSettings(client_id="c", client_secret=Secret("s")), state_dir=tmp_path)
    store = MemoryPairStore()
    with pytest.raises(AuthError, match="none"):
        Client(tokens=Stored(store), settings=settings)
    pair = TokenPair(Secret("a"), Secret("r"), 0, 1)
    store.write("ava1.ring.account.ONE", pair, over=None)
    with Client(tokens=Stored(store), settings=settings) as one:
        assert repr(one) == "<Client of account …nt.ONE at https://api.amazonvision.com>"
    store.write("ava1.ring.account.TWO", pair, over=None)
    with pytest.raises(AuthError, match="2 accounts"):
        Client(tokens=Stored(store), settings=settings)


def test_settings_alone_are_enough(tmp_path: Path) -> None:
    settings = Settings(partner=PartnerSettings(access_token=Secret("canary")), ring_url="http://ring.test/")
    with Client(settings=settings) as one:
        assert repr(one) == "<Client of an access token alone at http://ring.test>"
    with pytest.raises(AuthError) as caught:
        Client(settings=Settings(state_dir=tmp_path, partner=PartnerSettings(client_id="c")))
    assert caught.value.code == "LINK-NONE"


def test_a_session_that_the_program_has_already_is_used_and_stays_open(ring: SimulatedRing) -> None:
    async def main() -> tuple[int, int, bool]:
        async with aiohttp.ClientSession() as session:
            async with AsyncClient(tokens="sim-token", settings=Settings(ring_url=ring.url), session=session) as client:
                door = (await client.devices.list())[0].id
                start = (await anext(aiter(client.history.events(door, event_types=["motion"])))).start
                memory = Memory()
                saved = await client.media.clip(door, plain(start) or 0, 2, to=memory)
            return saved.size, len(memory.data), session.closed

    size, kept, closed = asyncio.run(main())
    assert size == kept > 0
    assert not closed


def test_a_client_of_one_event_loop_is_no_client_of_another() -> None:
    client = AsyncClient(tokens="a", settings=Settings(ring_url="http://127.0.0.1:9"), resilience=Off)

    async def ask() -> str:
        try:
            await client.users.me()
        except RingError as error:
            return error.code
        return "nothing"

    assert asyncio.run(ask()) == "NET-UNREACHABLE"
    assert asyncio.run(ask()) == "REQUEST-LOOP"
