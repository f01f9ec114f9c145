"""A certificate that is wrong in each way there is, shown by real servers of each kind: what is wrong is said, and it
goes on without a restart once the certificate was replaced."""

import asyncio
import contextlib
import gc
import re
import sys
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from own_certificates import Authority
from own_mosquitto import PASSWORDS, OwnMosquitto
from own_mosquitto import PROGRAM as MOSQUITTO
from own_postgres import PROGRAMS, OwnPostgres
from own_redis import PROGRAM as REDIS
from own_redis import OwnRedis
from ringlight.errors import RingError
from ringlight.faults import FAULTS
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import Request
from ringlight.http.serving import Tls, listen, serving
from ringlight.http.sync_driver import SyncDriver
from ringlight.nodes.keeper import CameraLeases
from ringlight.secrets import Secret
from ringlight.server.oidc.desk import OidcDesk
from ringlight.server.passes import Passes
from ringlight.server.program import run_server
from ringlight.settings import MqttSettings, OidcSettings, ServerSettings, Settings
from ringlight.store.database import Database

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning"),
]
WRONG = {
    "expired": "certificate has expired",
    "early": "certificate is not yet valid",
    "name": "mismatch|not valid for|does not match",
    "issuer": "unable to get local issuer certificate|self-signed",
    "usage": "ca cert does not include key usage extension",
}
STRICT = pytest.mark.skipif(sys.version_info < (3, 13), reason="Python takes such an authority before 3.13")
TO_PYTHON = [pytest.param(kind, marks=STRICT) if kind == "usage" else kind for kind in WRONG]
TO_LIBPQ = [kind for kind in WRONG if kind != "usage"]  # it asks for less
WITHIN = 60.0  # seconds


@pytest.fixture(scope="module", autouse=True)
def _garbage() -> Iterator[None]:
    """Paho leaves the socket of a handshake that failed to the garbage: it goes before tests of others may see it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.trusted))
    return made


@contextlib.asynccontextmanager
async def over_https(authority: Authority, port: int = 0) -> AsyncIterator[int]:
    """A provider for logging in; gives its port."""
    app = FastAPI()
    with listen("127.0.0.1", port) as listening:
        port = listening.getsockname()[1]
        issuer = f"https://localhost:{port}"

        @app.get("/.well-known/openid-configuration")
        async def configuration() -> dict[str, Any]:
            ends = {name: f"{issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
            return {"issuer": issuer, **ends}

        async with serving(app, listening, tls=Tls(authority.certificate, authority.key)):
            yield port


@pytest.mark.parametrize("kind", TO_PYTHON)
async def test_over_https_to_ring_and_to_the_service_for_logging_in(authority: Authority, kind: str) -> None:
    async with AsyncDriver() as driver:
        authority.put(kind)
        async with over_https(authority) as port:
            address = f"https://localhost:{port}"
            settings = OidcSettings(issuer=address, client_id="ringlight", scopes={"house": ["view"]})
            desk = OidcDesk(settings, driver, Passes(Secret("k" * 32)))
            with pytest.raises(RingError) as caught:
                await driver.send(Request("GET", f"{address}/.well-known/openid-configuration"))
            said(caught.value, "NET-TLS", kind)
            with pytest.raises(RingError) as caught:
                await desk.begin("https://cams.example")
            said(caught.value, "OIDC-UNREACHABLE", kind)
            assert "keyCertSign" in FAULTS["NET-TLS"].fix, "an authority that does not say so is not accepted"
        authority.put("good")
        async with over_https(authority, port):
            assert (await driver.send(Request("GET", f"{address}/.well-known/openid-configuration"))).status == 200
            assert (await desk.begin("https://cams.example"))[0].startswith(address)


async def test_a_stand_in_for_ring_on_this_machine_is_judged_by_the_same_authorities(authority: Authority) -> None:
    """As `ringlight simulate --tls` is one: proxies of the environment are left alone there, SSL_CERT_FILE is not."""
    authority.put("good")
    async with over_https(authority) as port:
        stand_in, asked = f"https://localhost:{port}", Request("GET", "https://ring/.well-known/openid-configuration")
        async with AsyncDriver(base_url=stand_in) as driver:
            assert (await driver.send(asked)).status == 200
        with SyncDriver(base_url=stand_in) as waiting:
            assert (await asyncio.to_thread(waiting.send, asked)).status == 200


@pytest.mark.skipif(not (MOSQUITTO and PASSWORDS), reason="mosquitto is not installed")
@pytest.mark.parametrize("kind", TO_PYTHON)
async def test_over_mqtt(authority: Authority, tmp_path: Path, kind: str) -> None:
    """The page hears of it."""
    authority.put(kind)
    broker = OwnMosquitto(authority)
    settings = Settings(state_dir=tmp_path, server=ServerSettings(port=0), mqtt=MqttSettings(url=broker.url))
    try:
        async with run_server(settings) as running, httpx2.AsyncClient(base_url=running.url, timeout=WITHIN) as http:

            async def faults() -> list[dict[str, str]]:
                found: list[dict[str, str]] = (await http.get("api/cameras")).json()["faults"]
                return found

            async with asyncio.timeout(WITHIN):
                while not (told := await faults()):
                    await asyncio.sleep(0.05)
                assert told[0]["code"] == "NET-TLS"
                assert re.search(WRONG[kind], told[0]["detail"]), told
                authority.put("good")
                broker.kill()
                broker.start()
                while await faults():
                    await asyncio.sleep(0.05)
    finally:
        broker.close()


@pytest.mark.skipif(REDIS is None, reason="Redis is not installed")
@pytest.mark.parametrize("kind", TO_PYTHON)
async def test_over_redis(authority: Authority, kind: str) -> None:
    """The very same node is one of several again."""
    authority.put(kind)
    redis = OwnRedis(authority)
    try:
        leases = CameraLeases(redis.url, "/node-a", alone_for=600.0)
        async with leases.running():
            await until(lambda: [problem.code for problem in leases.problems] == ["STORE-CERTIFICATE", "NODE-ALONE"])
            said(leases.problems[0], "STORE-CERTIFICATE", kind)
            assert "keyCertSign" in leases.problems[0].fault.fix
            redis.kill()
            authority.put("good")
            await asyncio.to_thread(redis.start)
            await until(lambda: not leases.problems)
    finally:
        redis.close()


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OwnPostgres, Authority]]:
    if not PROGRAMS:
        pytest.skip("PostgreSQL is not installed")
    authority = Authority(tmp_path_factory.mktemp("authority"))
    authority.put("good")
    postgres = OwnPostgres(authority)
    yield postgres, authority
    postgres.close()


@pytest.mark.parametrize("kind", TO_LIBPQ)
async def test_over_postgresql(secured: tuple[OwnPostgres, Authority], kind: str) -> None:
    postgres, authority = secured
    authority.put(kind)
    postgres.reload()
    database = Database(postgres.new_database())

    def ask() -> None:
        with database.reading() as connection:
            connection.execute(sa.text("SELECT 1"))

    with contextlib.closing(database):
        with pytest.raises(RingError) as caught:
            await asyncio.to_thread(ask)
        # libpq says no more of the others.
        said(caught.value, "STORE-CERTIFICATE", kind, "does not match" if kind == "name" else "verify failed")
        authority.put("good")
        postgres.reload()
        await asyncio.to_thread(ask)


async def until(is_so: Any) -> None:
    async with asyncio.timeout(WITHIN):
        while not is_so():
            await asyncio.sleep(0.02)


def said(error: RingError, code: str, kind: str, words: str = "") -> None:
    """It is told with this code, and what is wrong."""
    assert error.code == code
    assert re.search(words or WRONG[kind], error.detail or ""), error.detail
