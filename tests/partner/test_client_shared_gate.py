"""Clients of several processes that are told of one Redis keep to Ring's limit together, with nothing else to do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from both_clients import KINDS, either
from own_redis import PROGRAM, OwnRedis
from ringlight.secrets import Secret
from ringlight.settings import PartnerSettings, Settings
from ringlight.testing import SimulatedRing

pytestmark = [
    pytest.mark.parametrize("kind", KINDS),
    pytest.mark.skipif(PROGRAM is None, reason="Redis is not installed; see tests/debian-packages.sh"),
]


@pytest.fixture(scope="module")
def redis() -> Iterator[OwnRedis]:
    server = OwnRedis()
    yield server
    server.close()


def test_a_client_takes_its_turns_at_the_gate_that_the_settings_name(
    kind: str, ring: SimulatedRing, redis: OwnRedis, tmp_path: Path
) -> None:
    app = PartnerSettings(client_id=f"app-{kind}", client_secret=Secret("sim-secret"))
    settings = Settings(state_dir=tmp_path, ring_url=ring.url, redis_url=redis.url, partner=app)
    with redis.client() as looking:
        looking.flushall()
        with either(kind, settings=settings, tokens="sim-token") as opened:
            assert opened.do(lambda client: client.devices.list())
            assert looking.keys("ringlight:gate:*"), "its turn was counted by Redis"
        redis.kill()
        with either(kind, settings=settings, tokens="sim-token") as opened:
            assert opened.do(lambda client: client.devices.list()), "without Redis it goes on by its own share"
    redis.start()
