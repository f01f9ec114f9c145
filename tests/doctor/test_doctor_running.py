"""How checks are run: at once where they can be, not at all where what they need has failed, and never for too long."""

import asyncio

import pytest

from ringlight.doctor.findings import Mark, Seen, fault, good
from ringlight.doctor.running import Look, Once, run_looks
from ringlight.errors import fault_error

pytestmark = pytest.mark.anyio


async def _well() -> Seen:
    return good("well")


def _raising(error: Exception) -> Look:
    async def look() -> Seen:
        raise error

    return Look("udp", look)


async def test_what_needs_a_failed_check_is_skipped_and_says_so_and_so_is_what_needs_that() -> None:
    async def ill() -> Seen:
        return fault("NET-DNS", "no such name")

    found = await run_looks(
        [
            Look("name", ill, "a"),
            Look("connect", _well, "a", ("name a",)),
            Look("answer", _well, "a", ("connect a",)),
            Look("token", _well, needs=("answer a",)),
            Look("udp", _well, needs=("stun",)),
        ]
    )
    assert [one.mark for one in found] == [Mark.FAULT, Mark.SKIPPED, Mark.SKIPPED, Mark.SKIPPED, Mark.GOOD]
    assert found[1].seen == "not looked at, because of: name"
    assert found[3].seen == "not looked at, because of: answer a"


async def test_independent_checks_run_at_once() -> None:
    first, second = asyncio.Event(), asyncio.Event()

    async def one() -> Seen:
        first.set()
        await second.wait()
        return good("one")

    async def other() -> Seen:
        second.set()
        await first.wait()
        return good("other")

    found = await run_looks([Look("udp", one), Look("port", other)])
    assert [finding.seen for finding in found] == ["one", "other"]


async def test_a_check_that_does_not_end_is_ended_and_a_patient_one_is_not() -> None:
    async def never() -> Seen:
        await asyncio.Event().wait()
        return good("")

    async def late() -> Seen:
        await asyncio.sleep(0.05)
        return good("late")

    found = await run_looks([Look("udp", never), Look("dialog", late, patient=True)], budget=0.01)
    assert [one.code for one in found] == ["NET-TIMEOUT", None]
    assert found[1].seen == "late"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionError(1, "Operation not permitted"), "REACH-SANDBOX"),
        (OSError(101, "Network is unreachable"), "NET-UNREACHABLE"),
        (fault_error("SIG-TICKET"), "SIG-TICKET"),
    ],
)
async def test_what_a_probe_raises_becomes_a_finding(error: Exception, code: str) -> None:
    (finding,) = await run_looks([_raising(error)])
    assert finding.code == code
    assert finding.seen


async def test_evidence_is_gathered_once_for_all_who_judge_it() -> None:
    count = 0

    async def gather() -> int:
        nonlocal count
        count += 1
        await asyncio.sleep(0)
        return count

    once = Once(gather)
    assert list(await asyncio.gather(once(), once(), once())) == [1, 1, 1]


async def test_evidence_that_could_not_be_gathered_fails_all_who_judge_it() -> None:
    async def gather() -> int:
        raise fault_error("CAM-UNKNOWN")

    once = Once(gather)

    async def look() -> Seen:
        return good(str(await once()))

    found = await run_looks([Look("dialog", look), Look("video", look)])
    assert [one.code for one in found] == ["CAM-UNKNOWN", "CAM-UNKNOWN"]
