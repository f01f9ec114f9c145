"""Every cause at the Partner API that the doctor must find, and how it is set here."""

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

from patients import (
    PARTNER,
    Patient,
    Scenario,
    Setting,
    Stage,
    foreign,
    linked,
    refusal,
    ring,
    says,
    settings,
)
from ringlight.doctor import judging_calls
from ringlight.doctor.plans.asked import Asked
from ringlight.doctor.probes import calls
from ringlight.secrets import Secret
from ringlight.simulator.world import World


def app(*on: str, linked_first: bool = True, **partner: Any) -> Setting:
    """The simulated Partner API with switches, and a linked account."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        world = World()
        if linked_first:
            linked(stage, world)
        async with ring(stage, *on, world=world, partner={**PARTNER, **partner}) as known:
            yield Patient(known, ("partner",))

    return setting


def answering(application: Any, *, picture: bool = False) -> Setting:
    """Something that answers every call of the Partner API alike; with `picture` only the request for one."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        given = {**PARTNER, "access_token": "sim-token"}
        if picture:
            from ringlight.simulator.app import create_app

            real = create_app(World())

            async def either(scope: Any, receive: Any, send: Any) -> None:
                chosen = application if "/media/" in scope.get("path", "") else real
                await chosen(scope, receive, send)

            async with foreign(either) as where:
                yield Patient(settings(stage, ring_url=f"http://{where}", partner=given), ("partner",))
            return
        async with foreign(application) as where:
            yield Patient(settings(stage, ring_url=f"http://{where}", partner=given), ("partner",))

    return setting


@contextlib.asynccontextmanager
async def refresh_as_bearer(stage: Stage) -> AsyncIterator[Patient]:
    world = World()
    pair = linked(stage, world)
    async with ring(stage, world=world, partner={**PARTNER, "access_token": pair.refresh.reveal()}) as known:
        yield Patient(known, ("partner",))


@contextlib.asynccontextmanager
async def limit_used(stage: Stage) -> AsyncIterator[Patient]:
    world = World()
    world.partner.limit.calls, world.partner.limit.seconds = 10, 60.0
    for _ in range(7):
        world.partner.limit.take(world.now())
    async with ring(stage, world=world, partner={**PARTNER, "access_token": "sim-token"}) as known:
        yield Patient(known, ("partner",))


@contextlib.asynccontextmanager
async def patch_forgotten(stage: Stage) -> AsyncIterator[Patient]:
    from ringlight.store.database import Database
    from ringlight.store.link_rows import LinkRows
    from ringlight.store.links import AccountLink, Beginning, LinkState
    from ringlight.store.pairs import TokenPair

    async with ring(stage, partner={**PARTNER, "access_token": "sim-token"}) as known:
        with contextlib.closing(Database(known.database.reveal())) as database:
            rows = LinkRows(database)
            rows.begin(Beginning("one", time.time()))
            pair = TokenPair(Secret("a"), Secret("r"), time.time(), time.time() + 60)
            rows.adopt("one", pair, AccountLink("ada", LinkState.AWAITING, time.time()))
        yield Patient(known, ("partner",))


def begins_a_picture(*, halts: bool = False) -> Any:
    """An ASGI application that sends the beginning of a picture, and then hangs up or does nothing more."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        head = [(b"content-type", b"image/jpeg"), (b"content-length", b"90000")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"\xff\xd8\xff" + b"x" * 2000, "more_body": halts})
        while halts and (await receive())["type"] != "http.disconnect":
            pass

    return application


@contextlib.asynccontextmanager
async def halted_picture(stage: Stage) -> AsyncIterator[Patient]:
    """The doctor's patience, in small."""
    stage.patch.setattr(calls, "PICTURE_WAIT", 1.0)
    async with answering(begins_a_picture(halts=True), picture=True)(stage) as patient:
        yield patient


def receiver(application: Any) -> Setting:
    """A webhook receiver of somebody else."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        async with (
            foreign(application) as where,
            ring(stage, partner={**PARTNER, "access_token": "sim-token"}) as known,
        ):
            yield Patient(known, ("partner",), Asked(webhook=f"http://{where}/hook"))

    return setting


@contextlib.asynccontextmanager
async def slow_receiver(stage: Stage) -> AsyncIterator[Patient]:
    """Ring's five seconds, in small."""
    stage.patch.setattr(judging_calls, "ANSWER_WITHIN", 0.5)
    async with receiver(says(200, {}, slow=0.7))(stage) as patient:
        yield patient


@contextlib.asynccontextmanager
async def app_skewed(stage: Stage) -> AsyncIterator[Patient]:
    async with ring(stage, partner={**PARTNER, "access_token": "sim-token"}) as known:
        yield Patient(known, ("partner",), Asked(wall=lambda: time.time() - 900))


def linked_camera(*on: str, name: str = "Front Door", signed_in: bool = False, **given: Any) -> Setting:
    """A camera that is looked at, of a linked account; who has none of their own, or one with the same names."""

    @contextlib.asynccontextmanager
    async def setting(stage: Stage) -> AsyncIterator[Patient]:
        world = World()
        linked(stage, world)
        async with ring(stage, *on, world=world, partner=PARTNER, **given) as known:
            if not signed_in:
                (known.state_dir / "tokens.json").unlink()
            yield Patient(known, (name,))

    return setting


@contextlib.asynccontextmanager
async def app_alone(stage: Stage) -> AsyncIterator[Patient]:
    """An app that no account is linked with yet, and a camera that is asked for."""
    async with app(linked_first=False)(stage) as patient:
        (patient.settings.state_dir / "tokens.json").unlink()
        yield Patient(patient.settings, ("Front Door",))


@contextlib.asynccontextmanager
async def view_refused(stage: Stage) -> AsyncIterator[Patient]:
    """Another program watches the camera of a linked account."""
    from ringlight.simulator.app import create_app

    real, busy = create_app(World()), refusal(409, "There is a session of this device already.")

    async def either(scope: Any, receive: Any, send: Any) -> None:
        await (busy if "/whep/" in scope.get("path", "") else real)(scope, receive, send)

    async with foreign(either) as where:
        given = {**PARTNER, "access_token": "sim-token"}
        yield Patient(settings(stage, ring_url=f"http://{where}", partner=given), ("Front Door",))


PARTNER_API = (
    Scenario("400: a parameter", "PARTNER-BAD-REQUEST", answering(refusal(400, "Validation Error"))),
    Scenario("400: the nonce", "PARTNER-NONCE", answering(refusal(400, "Invalid Nonce"))),
    Scenario("400: the state", "PARTNER-TRANSITION", answering(refusal(400, "Invalid Status Transition"))),
    Scenario("401: expired", "PARTNER-AUTH", app("partner-401", access_token="sim-token"), "nothing renews it"),
    Scenario("401: revoked, link lost", "LINK-LOST", app("partner-link-lost")),
    Scenario("401: refresh token used as bearer", "PARTNER-WRONG-TOKEN", refresh_as_bearer),
    Scenario("401: empty body", "PARTNER-AUTH", app("partner-401-empty")),
    Scenario("no link", "LINK-NONE", app(linked_first=False)),
    Scenario("403: scope", "PARTNER-SCOPE", app("partner-403")),
    Scenario("403: consent and time range", "PARTNER-CONSENT",
             answering(refusal(403, "Forbidden", code="TIME_RANGE_NOT_AUTHORIZED"), picture=True)),
    Scenario("403: bad media body", "PARTNER-FORBIDDEN",
             answering(refusal(403, "Forbidden", "Cannot authorize: empty request body", "REQUEST_FORBIDDEN"),
                       picture=True)),
    Scenario("416: no footage", "PARTNER-NO-FOOTAGE", app("partner-media-missing")),
    Scenario("a picture that breaks off", "PARTNER-CUT", answering(begins_a_picture(), picture=True), "2003 of 90000"),
    Scenario("a picture that comes to a halt", "NET-TIMEOUT", halted_picture, "no whole picture within 1 s"),
    Scenario("404: device gone", "PARTNER-NO-DEVICES", app("partner-no-devices")),
    Scenario("404: path guessed wrong", "PARTNER-NOT-FOUND", answering(refusal(404, "Not Found"))),
    Scenario("429", "PARTNER-RATE", app("partner-429")),
    Scenario("429: who else uses the limit", "PARTNER-RATE", limit_used, "of 10 calls a second are used"),
    Scenario("500", "PARTNER-SERVER", app("partner-500")),
    Scenario("503: device offline", "PARTNER-DEVICE-OFFLINE", app("partner-offline")),
    Scenario("503: service down", "PARTNER-UNAVAILABLE", app("partner-503")),
    Scenario("HTML instead of JSON", "PARTNER-ANSWER", app("partner-html")),
    Scenario("PATCH forgotten", "LINK-DORMANT", patch_forgotten),
    Scenario("nonce by a decoded key", "LINK-KEY", app(hmac_keys=["sim-hmac-key-for-ringlight"])),
    Scenario("nonce by a key in hexadecimal", "LINK-KEY", app(hmac_keys=["ab" * 32])),
    Scenario("webhook 4xx", "HOOK-LOST", receiver(says(404, {}))),
    Scenario("webhook 5xx", "HOOK-FAILING", receiver(says(500, {}))),
    Scenario("webhook 3xx", "HOOK-REDIRECT", receiver(says(307, {}))),
    Scenario("receiver slower than 5 s", "HOOK-LATE", slow_receiver),
    Scenario("the host's clock", "REACH-CLOCK", app_skewed, "behind"),
    Scenario("no credentials", "CFG-INVALID", app(linked_first=False, client_secret=None)),
    Scenario("a linked camera, offline", "PARTNER-DEVICE-OFFLINE", linked_camera("partner-offline"), "Front Door"),
    Scenario("a linked camera, no picture", "MEDIA-SILENT",
             linked_camera("partner-view-dark", live_view={"media_timeout": 1.5})),
    Scenario("a linked camera, watched by another", "PARTNER-VIEW-BUSY", view_refused),
    Scenario("a linked camera that is not there", "CAM-UNKNOWN", linked_camera(name="Attic"), "known: Front Door"),
    Scenario("no camera of that name anywhere", "CAM-UNKNOWN", linked_camera(name="Attic", signed_in=True),
             "known: Front Door, Back Yard, Driveway, Front Door"),
    Scenario("nobody signed in, no link", "LINK-NONE", app_alone),
)  # fmt: skip
