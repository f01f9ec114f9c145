"""What the doctor says of a view that it looks at."""

import asyncio

import pytest

from dialing import account_at
from ringlight.doctor.judging_views import judge_dialog
from ringlight.doctor.probes.views import see
from ringlight.testing import simulator

pytestmark = pytest.mark.anyio


async def test_a_view_that_ring_ends_in_order_ends_the_look_at_it_and_is_told() -> None:
    """Nobody asked for its end: Ring, or another app of the account, is what a person has to look at."""
    async with simulator() as ring, account_at(ring) as account:
        camera = await account.camera("front-door")
        looking = asyncio.create_task(see(camera, 600.0))
        async with asyncio.timeout(30):
            while camera.view.progress.state != "live":
                await asyncio.sleep(0.05)
            ring.world.end_views(0, "")
            viewed = await looking
    assert judge_dialog(viewed).code == "SIG-CLOSED"
