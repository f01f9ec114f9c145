"""A database that takes the connection and never answers: the doctor says so in time, and ends then."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringlight.doctor.plans.asked import Asked
from ringlight.doctor.plans.partner import partner_plan
from ringlight.doctor.probes import services
from ringlight.doctor.running import run_looks
from ringlight.errors import StoreError
from ringlight.secrets import Secret
from ringlight.settings import Settings

ALL_IN_ALL = 5.0  # seconds; the library gives a connection up after ten


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings whose PostgreSQL never answers; the doctor waits for a moment only."""
    monkeypatch.setattr(services, "WITHIN", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"postgresql://who:secret@127.0.0.1:{server.getsockname()[1]}/ringlight"
        yield Settings(state_dir=tmp_path, database_url=Secret(address))


def _took(work: Callable[[], Coroutine[Any, Any, object]]) -> float:
    began = time.monotonic()
    asyncio.run(work())
    return time.monotonic() - began


def test_the_question_to_a_silent_database_is_given_up_and_not_waited_for_at_the_end(silent: Settings) -> None:
    async def ask() -> None:
        with pytest.raises(StoreError, match="has not answered") as told:
            await services.ask_database(silent)
        assert told.value.code == "STORE-UNREACHABLE"

    assert _took(ask) < ALL_IN_ALL


def test_nor_are_the_links_and_the_tokens_that_it_would_keep(silent: Settings) -> None:
    looks = [look for look in partner_plan(silent, Asked()) if look.check in {"partner-token", "partner-link"}]

    async def look() -> None:
        assert [finding.code for finding in await run_looks(looks)] == ["STORE-UNREACHABLE"] * 2

    assert _took(look) < ALL_IN_ALL
