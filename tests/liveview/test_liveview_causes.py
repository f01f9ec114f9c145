"""Each row of the table in `causes.py`, played out between a client and the simulated Ring."""

import asyncio

import pytest

from causes import MISTAKES, TROUBLES, Mistake, Trouble
from dialing import FRONT_DOOR, Notes, account_at, ended_or_tried_again
from raw_client import raw_client
from ringlight import Account
from ringlight.errors import RingError
from ringlight.faults import find
from ringlight.simulator import signaling
from ringlight.simulator.world import Delays, World
from ringlight.testing import SimulatedRing, simulator

pytestmark = pytest.mark.anyio

_MISTAKES = [pytest.param(one, id=f"{row}: {one.what}") for row, rows in MISTAKES.items() for one in rows]
_TROUBLES = [pytest.param(one, id=f"{row}: {one.what}") for row, rows in TROUBLES.items() for one in rows]

# What is looked at here is the fault; that and how it is tried again, test_liveview_retries.py tells.
ONCE = {"ready_retries": 2, "retries": 0, "reopen_retries": 0}


@pytest.mark.parametrize("mistake", _MISTAKES)
async def test_a_mistake_is_named_by_the_verdict_and_by_what_the_client_is_told(mistake: Mistake) -> None:
    """The simulator closes with 4002 and words, by which the catalogue finds the fault again."""
    slow = Delays(answer=5.0) if mistake.when == "created" else Delays()
    async with simulator(World(delays=slow)) as ring, raw_client(ring) as client:
        if mistake.when == "created":
            await client.created()
        elif mistake.when == "live":
            await client.live()
        await client.send(mistake.message(client))
        if mistake.then == "close 5":
            reason = (await client.hear("close"))["body"]["reason"]
            assert find("close", reason["code"], reason["text"]) == "SIG-SESSION-LOST"
        elif mistake.then == "let pass":
            async with asyncio.timeout(5):
                while ring.world.dialogs[-1].ended != "closed by the client":
                    await asyncio.sleep(0.01)
        else:
            code, told = await client.end()
            assert code == 4002
            if mistake.code != "SIG-NOISE":
                assert find("socket", 4002, told) == mistake.code, told
        verdicts = [message for dialog in ring.world.dialogs for message in dialog.messages if message["code"]]
    (verdict,) = verdicts
    assert verdict["code"] == mistake.code
    assert verdict["detail"]


@pytest.mark.parametrize("trouble", _TROUBLES)
async def test_a_trouble_is_told_by_its_fault(trouble: Trouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signaling, "PING_LOST_AFTER", 0.3)
    notes, world = Notes(), World()
    async with simulator(world) as ring, account_at(ring, **{**ONCE, **trouble.deadlines}) as account:
        await account.cameras()
        account.settings = account.settings.model_copy(update=dict(trouble.settings))
        world.switch(list(trouble.on))
        async with asyncio.timeout(15):
            error = await _watch(account, trouble, notes, ring)
    assert (error.code if error else None) == trouble.code, error
    assert trouble.said in (str(error.detail) if error else "")
    if trouble.note is not None:
        assert trouble.note in {*notes.notes, *(trying.code for trying in notes.tries)}
    named = {key for message in notes.sent for key in (*message, *message["body"])}
    assert not {key for key in named if key.startswith(("account", "owner", "user"))}, "nobody asks for the account id"


async def _watch(account: Account, trouble: Trouble, notes: Notes, ring: SimulatedRing) -> RingError | None:
    """Watch as a program would; return the fault, or `None` once video has flowed."""
    account.trace = notes
    view = account._dial(FRONT_DOOR)(
        on_packet=notes.packet, on_agreed=lambda _: None, on_event=notes.events.append,
        is_watched=lambda: True, may_renew=lambda: False,
    )  # fmt: skip
    try:
        await view.open()
        if trouble.code is None or trouble.during is not None:
            await notes.flowing.wait()
        if trouble.during is None and trouble.code is None:
            return None
        if trouble.during is not None:
            trouble.during(ring)
        return await ended_or_tried_again(view, notes)
    except RingError as error:
        return error
    finally:
        await view.close()
