"""A call over two servers that share a Redis, when the one that somebody is connected to is killed."""

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from calling import Gate, made_up_devices, two_callers
from conftest import Program, clean_environment
from own_redis import PROGRAM, OwnRedis

pytestmark = [
    pytest.mark.browser, pytest.mark.program, pytest.mark.skipif(PROGRAM is None, reason="Redis is not installed")
]  # fmt: skip


@pytest.fixture
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Program]]:
    """Two servers with one key and one Redis."""
    with contextlib.closing(OwnRedis()) as redis:
        shared = {"RINGLIGHT_REDIS_URL": redis.url.reveal(), "RINGLIGHT_SECRET_KEY": "k" * 32}
        programs = [
            Program("demo", "--port", "0", env={**clean_environment(tmp_path_factory.mktemp("state")), **shared})
            for _ in range(2)
        ]
        yield programs
        for program in programs:
            if program.process.poll() is None:
                program.stop()
            for pipe in (program.process.stdout, program.process.stderr):
                if pipe is not None and not pipe.closed:
                    pipe.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    with made_up_devices(chromium) as browser:
        yield browser


def test_when_a_server_is_killed_its_people_are_back_at_another_with_the_same_names(
    browser: Browser, nodes: list[Program]
) -> None:
    """The picture goes on meanwhile, as it needs no server; who was connected elsewhere is the same person still."""
    ports = [urlsplit(node.url).port or 0 for node in nodes]
    gates = Gate(*ports), Gate(*reversed(ports))
    doctor, patient = two_callers(browser, gates[1].url, gates[0].url, "visit")
    before = [caller.ask("[them.key, them.id, them.name, them.role]") for caller in (doctor, patient)]
    patient.ask("void (globalThis.phases = [], call.addEventListener('phase', () => phases.push(call.phase)))")
    nodes[0].process.kill()
    patient.until("phases.includes('away')")
    patient.until("call.phase === 'inside' && call.fault === null")
    for caller in (doctor, patient):
        caller.until("call.people.length === 1 && !them.away && them.path === 'connected'", seconds=60)
        caller.sees_frames()
    assert [caller.ask("[them.key, them.id, them.name, them.role]") for caller in (doctor, patient)] == before
    assert doctor.ask("call.phase") == "inside"
    assert "gone" not in doctor.ask("events"), "nobody was told that they left"
    patient.ask("call.say('over the other server')")
    doctor.until("call.chat.some(({ text }) => text === 'over the other server')")
    patient.ask("them.disconnect()")  # words and signals go over Redis no more: both are at one server
    patient.ask("call.say('and without a direct line')")
    doctor.until("call.chat.some(({ text }) => text === 'and without a direct line')")
    for caller in (doctor, patient):
        assert caller.complaints == []
        caller.page.context.close()
    for gate in gates:
        gate.cut()
