"""Codes, pairs of tokens and the link, as a partner's server meets them."""

import base64
import hashlib
import hmac
from typing import Any

import pytest
from partner_calls import Partner, code_of, partner

from ringlight.simulator.partner.grants import ACCESS_LIFE, REFRESH_LIFE

pytestmark = pytest.mark.anyio

INTEGRATIONS = "/v1/accounts/me/app-integrations"
VERIFIER, CHALLENGE = "synthetic-verifier-000000000000000000000000000000", "WU1-qKbNlvhT8-DMI-NxC9uogDdkkqDrSMQ0acve6xk"


async def installed(app: Partner) -> dict[str, Any]:
    """Install the app and exchange the code."""
    code = (await app.web.post("/_sim/partner/install", json={})).json()["code"]
    granted = (await app.tokens(grant_type="authorization_code", code=code)).json()
    app.token = granted["access_token"]
    return {"code": code, **granted}


async def refreshed(app: Partner, token: str) -> tuple[int, dict[str, str]]:
    answer = await app.tokens(grant_type="refresh_token", refresh_token=token)
    return answer.status_code, answer.json()


async def test_a_link_goes_from_install_to_completed() -> None:
    """The nonce is signed with the key as text, over the time as it came and the account's id."""
    async with partner() as app:
        await installed(app)
        user = (await app.get("/v1/users/me")).json()["data"]["id"]
        assert (await app.get("/v1/devices")).status_code == 403, "nothing is shared before the nonce is confirmed"
        sent = (await app.web.post("/_sim/partner/redirect")).json()
        signed = hmac.digest(app.estate.app.hmac_key.encode(), f"{sent['time']}:{user}".encode(), hashlib.sha256)
        nonce = base64.urlsafe_b64encode(signed).decode().rstrip("=")
        assert (sent["nonce"], len(nonce)) == (nonce, 43)
        early = await app.call("PATCH", INTEGRATIONS, json={"status": "completed"})
        assert code_of(early) == (400, "Invalid Status Transition")
        confirmed = await app.call("POST", INTEGRATIONS, json={"nonce": nonce, "account_identifier": "a***a@x.example"})
        assert (confirmed.status_code, confirmed.json()) == (200, {"status": "awaiting"})
        done = await app.call("PATCH", INTEGRATIONS, json={"status": "completed"})
        assert done.json() == {
            "account_identifier": "a***a@x.example", "status": "completed", "updated_at": "2026-11-18T11:06:40.000Z",
        }  # fmt: skip
        assert len((await app.get("/v1/devices")).json()["data"]) == 3
        paused = await app.call("PATCH", INTEGRATIONS, json={"status": "awaiting"})
        assert paused.json()["status"] == "awaiting"


@pytest.mark.parametrize("how", ["used", "old", "invented", "none", "number"])
async def test_a_nonce_is_good_once_and_for_ten_minutes(how: str) -> None:
    async with partner() as app:
        await installed(app)
        nonce = (await app.web.post("/_sim/partner/redirect")).json()["nonce"]
        if how == "used":
            await app.call("POST", INTEGRATIONS, json={"nonce": nonce})
        app.seconds += 601 if how == "old" else 0
        body = {"invented": {"nonce": "x" * 43}, "none": {}, "number": {"nonce": 5}}.get(how, {"nonce": nonce})
        title = "Missing Required Fields" if how in ("none", "number") else "Invalid Nonce"
        assert code_of(await app.call("POST", INTEGRATIONS, json=body)) == (400, title)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"status": "paused"}', b'{"account_identifier": 5}', b"\xff"])
async def test_a_change_that_is_none_is_a_bad_request(body: bytes) -> None:
    async with partner() as app:
        assert (await app.call("PATCH", INTEGRATIONS, content=body)).status_code == 400


async def test_only_an_app_that_began_the_link_can_end_it() -> None:
    async with partner() as app:
        assert (await app.call("DELETE", INTEGRATIONS)).status_code == 403
        app.estate.app.one_way = False
        assert (await app.call("DELETE", INTEGRATIONS)).status_code == 204
        assert (await app.get("/v1/users/me")).status_code == 403, "the tokens have gone with it"


async def test_a_code_is_good_once_and_for_a_minute() -> None:
    async with partner() as app:
        got = await installed(app)
        assert got["expires_in"] == ACCESS_LIFE
        assert (got["token_type"], got["scope"]) == ("Bearer", "ava.v1:read")
        again = await app.tokens(grant_type="authorization_code", code=got["code"])
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        late = app.estate.install()
        app.seconds += 61
        assert (await app.tokens(grant_type="authorization_code", code=late)).status_code == 400


async def test_with_pkce_a_code_wants_its_verifier_and_lasts_ten_minutes() -> None:
    async with partner() as app:
        for verifier, status in (("another", 400), (VERIFIER, 200)):
            code = (await app.web.post("/_sim/partner/install", json={"challenge": CHALLENGE})).json()["code"]
            app.seconds += 599
            fields = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
            assert (await app.tokens(**fields)).status_code == status


async def test_a_refresh_brings_a_new_pair_and_the_old_one_is_spent() -> None:
    """Who uses the old one again has lost the link: all that came of it is revoked."""
    async with partner() as app:
        first = (await installed(app))["refresh_token"]
        status, second = await refreshed(app, first)
        assert status == 200
        assert second["refresh_token"] != first
        status, said = await refreshed(app, first)
        assert (status, said["error"]) == (400, "invalid_grant")
        assert (await refreshed(app, second["refresh_token"]))[0] == 400
        app.token = second["access_token"]
        assert (await app.get("/v1/devices")).status_code == 401
        assert app.estate.grants.reuses == 1


async def test_with_grace_the_old_refresh_token_works_for_a_minute_more() -> None:
    async with partner("documented", "partner-rotation-grace") as app:
        first = (await installed(app))["refresh_token"]
        _, second = await refreshed(app, first)
        app.seconds += 59
        assert (await refreshed(app, first))[0] == 200
        app.seconds += 2
        assert (await refreshed(app, first))[0] == 400
        assert (await refreshed(app, second["refresh_token"]))[0] == 200, "nothing else is revoked"


async def test_an_answer_that_is_lost_has_spent_the_token_all_the_same() -> None:
    async with partner(wire=True) as app:
        first = (await installed(app))["refresh_token"]
        app.world.switch(["partner-token-lost"])
        with pytest.raises(Exception, match="disconnected"):
            await refreshed(app, first)
        app.world.switch([])
        assert (await refreshed(app, first))[0] == 400


async def test_tokens_end_with_their_time() -> None:
    async with partner() as app:
        got = await installed(app)
        app.seconds += ACCESS_LIFE - 1
        assert (await app.get("/v1/users/me")).status_code == 200
        app.seconds += 1
        assert (await app.get("/v1/users/me")).status_code == 403
        app.seconds += REFRESH_LIFE
        assert (await refreshed(app, got["refresh_token"]))[0] == 400


async def test_the_token_service_takes_forms_of_its_own_clients_only() -> None:
    async with partner() as app:
        good = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "sim-client"}
        as_json = await app.web.post("/oauth/token", json={**good, "client_secret": "sim-secret"})
        assert (as_json.status_code, as_json.json()["error"]) == (400, "invalid_request")
        for wrong in ({"client_secret": "other"}, {}, {"client_id": "other", "client_secret": "sim-secret"}):
            refused = await app.web.post("/oauth/token", data={**good, **wrong})
            assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        other = await app.tokens(grant_type="client_credentials")
        assert (other.status_code, other.json()["error"]) == (401, "unsupported_grant_type")
        assert (await app.tokens()).status_code == 400


async def test_a_person_still_signs_in_at_the_same_address() -> None:
    async with partner() as app:
        fields = {"grant_type": "password", "client_id": "ring_official_android", "username": "ada@ringlight.test"}
        asked = await app.web.post("/oauth/token", json={**fields, "password": "ringlight"})
        assert asked.status_code == 412


@pytest.mark.parametrize("token", ["", "invented", "refresh"])
async def test_what_is_no_access_token_is_refused(token: str) -> None:
    async with partner() as app:
        got = await installed(app)
        app.token = got["refresh_token"] if token == "refresh" else token
        assert code_of(await app.get("/v1/devices")) == (401, "Invalid Client")


async def test_a_token_of_the_playground_sees_one_device_for_half_an_hour() -> None:
    async with partner() as app:
        app.token = (await app.web.post("/_sim/partner/playground")).json()["access_token"]
        (device,) = (await app.get("/v1/devices")).json()["data"]
        assert device["attributes"]["name"] == "Playground Device"
        assert (await app.call("PATCH", INTEGRATIONS, json={"status": "completed"})).status_code == 403
        assert (await app.get("/v1/accounts/me/subscriptions")).status_code == 422
        app.seconds += 1801
        assert (await app.get("/v1/devices")).status_code == 401


async def test_removing_the_app_ends_all_its_tokens() -> None:
    async with partner() as app:
        got = await installed(app)
        assert (await app.web.post("/_sim/partner/remove")).status_code == 204
        assert (await app.get("/v1/devices")).status_code == 401
        assert (await refreshed(app, got["refresh_token"]))[0] == 400
        assert (await app.web.post("/_sim/partner/redirect")).status_code == 404


async def test_a_link_that_is_lost_comes_back_for_the_usual_token_only() -> None:
    async with partner() as app:
        got = await installed(app)
        app.world.switch(["partner-link-lost"])
        assert (await refreshed(app, got["refresh_token"]))[0] == 400
        app.token = "sim-token"
        assert (await app.get("/v1/users/me")).status_code == 403
        app.world.switch([])
        assert (await app.get("/v1/users/me")).status_code == 200
        assert (await refreshed(app, got["refresh_token"]))[0] == 400


@pytest.mark.parametrize(("switch", "status", "said"), [("partner-token-503", 503, "temporarily_unavailable"),
                                                        ("partner-token-html", 200, "<html>")])  # fmt: skip
async def test_the_token_service_can_fail_and_spends_nothing_then(switch: str, status: int, said: str) -> None:
    async with partner() as app:
        token = (await installed(app))["refresh_token"]
        app.world.switch([switch])
        answer = await app.tokens(grant_type="refresh_token", refresh_token=token)
        assert (answer.status_code, said in answer.text) == (status, True)
        app.world.switch([])
        assert (await refreshed(app, token))[0] == 200
