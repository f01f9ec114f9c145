"""An account over connections of our own and over an aiohttp session that the program has: the same account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from ringlight import Account
from ringlight.account.keeper import SignInFlow
from ringlight.errors import RingError, UsageError
from ringlight.secrets import Secret
from ringlight.settings import load_settings
from ringlight.store import MemoryTokenStore
from ringlight.testing import SimulatedRing, simulator

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def _account(brings_session: bool) -> AsyncIterator[tuple[Account, SimulatedRing]]:
    async with simulator() as ring, aiohttp.ClientSession() as session:
        settings = load_settings(ring_url=ring.url, cameras={"linger": 0})
        given = session if brings_session else None
        async with Account.open(settings, store=MemoryTokenStore(), session=given) as account:
            yield account, ring
        assert not session.closed
        assert len(session.cookie_jar) == 0


@pytest.mark.parametrize("brings_session", [False, True], ids=["own", "session"])
@pytest.mark.parametrize("flow", ["password", "code"])
async def test_it_signs_in_lists_controls_watches_and_renews(brings_session: bool, flow: SignInFlow) -> None:
    """The sign-in by pages needs cookies and redirects, which the flow keeps and follows itself."""
    async with _account(brings_session) as (account, ring):
        world = ring.world
        with pytest.raises(RingError, match="AUTH-CODE-NEEDED"):
            await account.sign_in(world.email, Secret(world.password), flow=flow)
        await account.sign_in(world.email, Secret(world.password), world.code, flow=flow)
        cameras = {camera.name: camera for camera in await account.cameras()}
        assert set(cameras) == {"Front Door", "Back Yard", "Driveway"}
        driveway = cameras["Driveway"]
        await account.set_light(driveway.device, True)
        assert world.lights == {1003: True}
        assert (await account.fresh_snapshot(driveway.device)).startswith(b"\xff\xd8")
        event = (await account.events(cameras["Front Door"].device))[0]
        assert (await account.recording(event))[4:8] == b"ftyp"
        async with driveway.live_view() as view:
            assert (await view.snapshot()).startswith(b"\xff\xd8")
        first = await account.access_token()
        assert (await account.renewed_token()).reveal() != first.reveal()


@pytest.mark.parametrize("brings_session", [False, True], ids=["own", "session"])
@pytest.mark.parametrize(
    ("switch", "code"),
    [("edge-406", "AUTH-EDGE-BLOCK"), ("rate-429", "AUTH-RATE"), ("token-not-json", "AUTH-ANSWER"),
     ("wrong-password", "AUTH-PASSWORD")],
)  # fmt: skip
async def test_ring_refuses_in_the_same_words(brings_session: bool, switch: str, code: str) -> None:
    async with _account(brings_session) as (account, ring):
        ring.world.switch([switch])
        with pytest.raises(RingError, match=code):
            await account.sign_in(ring.world.email, Secret(ring.world.password))


async def test_a_closed_session_is_refused_at_once() -> None:
    async with aiohttp.ClientSession() as session:
        pass
    with pytest.raises(UsageError, match="REQUEST-INVALID"):
        async with Account.open(load_settings(), store=MemoryTokenStore(), session=session):
            raise AssertionError("it must not get here")
