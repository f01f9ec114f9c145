"""The description of the simulated Partner API is true: whatever it allows is answered as it says."""

import re
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from ringlight.simulator.app import create_app
from ringlight.simulator.partner.limit import Limit
from ringlight.simulator.partner.openapi import document, methods_of
from ringlight.simulator.world import World

EXAMPLES = 6  # for each operation and profile
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    ignored_auth,
    unsupported_method,
]


@schemathesis.serializer("application/sdp")
def _sdp(_: Any, value: Any) -> bytes:
    return str(value).encode()


def _world(profile: str) -> World:
    """A world without a limit, in which the devices of the description's examples are there."""
    world = World(profile=profile)
    world.partner.limit = Limit(calls=1_000_000)
    world.switch(["partner-early-access"])
    return world


WORLDS = {profile: _world(profile) for profile in ("documented", "observed", "hostile")}
SCHEMAS = {
    profile: schemathesis.openapi.from_asgi("/_sim/partner/openapi.json", create_app(world))
    for profile, world in WORLDS.items()
}


def _known(world: World, case: Any) -> None:
    """Let every other path name a device that there is, so that more than 404 is seen."""
    parameters = case.path_parameters
    if "device_id" in parameters and len(parameters["device_id"]) % 2:
        devices = world.partner.devices(world.partner.grants.access("sim-token"), world.on)  # type: ignore[arg-type]
        chosen = devices[len(parameters["device_id"]) // 2 % len(devices)]
        parameters["device_id"] = chosen.id(odd=world.partner.how.odd)


def _check(profile: str, case: Any) -> None:
    _known(WORLDS[profile], case)
    case.call_and_validate(headers={"Authorization": "Bearer sim-token"}, checks=CHECKS)


@SCHEMAS["documented"].parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_as_documented_it_is_as_described(case: Any) -> None:
    _check("documented", case)


@SCHEMAS["observed"].parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_as_observed_it_is_as_described(case: Any) -> None:
    _check("observed", case)


@SCHEMAS["hostile"].parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_at_its_worst_it_is_as_described(case: Any) -> None:
    _check("hostile", case)


def test_the_description_has_the_addresses_that_are_there() -> None:
    """And no others: each is found by its method, and a path that is none has no methods."""
    described, there = (
        {
            (re.sub(r"{\w+}", "{}", path), method)
            for path, operations in said["paths"].items()
            for method in operations
            if path.startswith("/v1/") and path != "/v1/download"
        }
        for said in (document(), create_app(World()).openapi())
    )
    assert described == there
    assert methods_of("/v1/devices/x") == ("GET",)
    assert methods_of("/v1/devices/x/snapshot") == ()
