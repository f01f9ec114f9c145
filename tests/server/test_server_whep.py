"""WHEP to the letter (draft-ietf-wish-whep, RFC 9725): what each method answers, trickle, ICE restart, other nodes."""

import asyncio
import base64
import contextlib
import hmac
import socket
from collections.abc import AsyncIterator

import httpx2
import pytest
from aioice import stun as ice
from test_server import GOOD_OFFER, SDP, house

from ringlight.account import Credentials
from ringlight.cameras import Account
from ringlight.errors import RingError
from ringlight.http.serving import listen, serving
from ringlight.media.line import Line
from ringlight.media.port import ViewerPort
from ringlight.media.trickle import parse
from ringlight.secrets import Secret
from ringlight.server import playback
from ringlight.server.access import Access
from ringlight.server.app import create_app
from ringlight.server.database_watch import open_database
from ringlight.server.hls import Showings
from ringlight.server.places import Places
from ringlight.server.playback import Playbacks
from ringlight.server.recordings import Recordings
from ringlight.server.relay import LIFETIME, IceServers
from ringlight.server.room_server import room_server
from ringlight.server.watches import Watches
from ringlight.settings import MediaSettings, Settings
from ringlight.store import MemoryTokenStore
from ringlight.testing import simulator
from whep_viewer import viewer

pytestmark = pytest.mark.anyio
TRICKLE = "application/trickle-ice-sdpfrag"
CANDIDATE = (
    "a=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 102\r\na=mid:0\r\na=ice-ufrag:ufra\r\n"
    f"a=ice-pwd:{'p' * 22}\r\na=candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host\r\na=end-of-candidates\r\n"
)
RESTART = CANDIDATE.replace("ufra\r", "other\r").replace("p" * 22, "q" * 22)


async def _playing(http: httpx2.AsyncClient) -> httpx2.Response:
    posted = await http.post("whep/front-door", content=GOOD_OFFER, headers=SDP)
    assert posted.status_code == 201, posted.text
    return posted


async def _patch(
    http: httpx2.AsyncClient, location: str, body: str, match: str | None, kind: str = TRICKLE
) -> httpx2.Response:
    headers = {"Content-Type": kind} | ({"If-Match": match} if match else {})
    return await http.patch(location, content=body.encode(), headers=headers)


def _code(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def test_an_answer_names_its_place_its_tag_and_what_may_be_patched() -> None:
    async with house() as (http, _):
        posted = await _playing(http)
        assert posted.headers["content-type"] == "application/sdp"
        assert posted.headers["location"].startswith("/whep/front-door/")
        assert posted.headers["etag"].startswith('"'), "a strong tag"
        assert posted.headers["accept-patch"] == TRICKLE
        assert "link" not in posted.headers, "no STUN or TURN is configured"


async def test_candidates_are_taken_with_the_tag_of_the_answer() -> None:
    async with house() as (http, _):
        posted = await _playing(http)
        location, tag = posted.headers["location"], posted.headers["etag"]
        for match in (tag, f'"old", {tag}', "*"):
            answer = await _patch(http, location, CANDIDATE, match)
            assert (answer.status_code, answer.text) == (204, "")
            assert "etag" not in answer.headers, "the ICE session is the same"
        assert (await _patch(http, location, "a=end-of-candidates", tag)).status_code == 204


_IMPOSSIBLE = [
    (CANDIDATE, None, TRICKLE, (428, "VIEWER-MATCH")),
    (CANDIDATE, '"old"', TRICKLE, (412, "VIEWER-STALE")),
    (CANDIDATE, "W/TAG", TRICKLE, (412, "VIEWER-STALE")),
    (RESTART, '"old"', TRICKLE, (412, "VIEWER-STALE")),
    (CANDIDATE, "*", "application/sdp", (415, "REQUEST-TYPE")),
    ("v=0\r\n", "*", TRICKLE, (400, "VIEWER-FRAGMENT")),
    ("a=ice-ufrag:no\r\n", "*", TRICKLE, (400, "VIEWER-FRAGMENT")),
    ("a=x\r\n" * 20_000, "*", TRICKLE, (400, "VIEWER-FRAGMENT")),
    ("a=ice-ufrag:other\r\n", "*", TRICKLE, (422, "VIEWER-RESTART")),
    (RESTART + "a=ice-lite\r\n", "*", TRICKLE, (422, "VIEWER-RESTART")),
    (RESTART + "a=fingerprint:sha-256 " + ":".join(["BB"] * 32), "*", TRICKLE, (422, "VIEWER-RESTART")),
    (CANDIDATE.replace("a=mid:0", "a=mid:7"), "*", TRICKLE, (422, "VIEWER-RESTART")),
]


async def test_a_patch_that_cannot_be_done_is_told_why_and_changes_nothing() -> None:
    async with house() as (http, _):
        posted = await _playing(http)
        location, tag = posted.headers["location"], posted.headers["etag"]
        for body, match, kind, expected in _IMPOSSIBLE:
            answer = await _patch(http, location, body, match and match.replace("TAG", tag), kind)
            assert _code(answer) == expected, body[:80]
            if expected[0] == 415:
                assert answer.headers["accept-patch"] == TRICKLE
            assert (await _patch(http, location, CANDIDATE, tag)).status_code == 204


async def test_an_ice_restart_brings_new_credentials_and_a_new_tag() -> None:
    async with house() as (http, _):
        posted = await _playing(http)
        location, tag = posted.headers["location"], posted.headers["etag"]
        answer = await _patch(http, location, RESTART, "*")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == TRICKLE
        assert answer.headers["etag"] not in ("", tag)
        ours = {line.partition(":")[0]: line.partition(":")[2] for line in answer.text.split("\r\n")}
        assert ours["a=ice-ufrag"] not in posted.text
        assert ours["a=ice-pwd"] not in posted.text
        assert (ours["a=group"], ours["a=mid"]) == ("BUNDLE 0", "0")
        assert "a=ice-lite" in ours
        assert "a=candidate" in ours
        assert _code(await _patch(http, location, RESTART, tag)) == (412, "VIEWER-STALE")
        assert (await _patch(http, location, RESTART, answer.headers["etag"])).status_code == 204, "candidates of it"
        again = await _patch(http, location, RESTART, "*")
        assert (again.status_code, again.text) == (200, answer.text), "its answer may have been lost"
        third = await _patch(http, location, RESTART.replace("other\r", "third\r"), "*")
        assert third.headers["etag"] not in (tag, answer.headers["etag"])


async def test_an_ice_restart_may_come_with_the_tag_too() -> None:
    async with house() as (http, _):
        posted = await _playing(http)
        answer = await _patch(http, posted.headers["location"], RESTART, posted.headers["etag"])
        assert answer.status_code == 200


async def test_pictures_go_on_while_ice_begins_anew() -> None:
    """The old path is used until the viewer nominates by the new credentials; then the new one is."""
    async with house() as (http, _), viewer(str(http.base_url), "front-door", http) as playing:
        await playing.receive(20)
        answer = await _patch(http, playing.location, RESTART, "*")
        ours = parse(answer.text)
        number = int(ours.candidates[0].split()[5])
        await playing.receive(len(playing.packets) + 20)
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as abroad:
            abroad.bind(("127.0.0.1", 0))
            abroad.setblocking(False)
            message = ice.Message(ice.Method.BINDING, ice.Class.REQUEST)
            message.attributes["USERNAME"] = f"{ours.ufrag}:other"
            message.attributes["USE-CANDIDATE"] = None
            message.add_message_integrity(ours.pwd.encode())
            abroad.sendto(bytes(message), ("127.0.0.1", number))
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(5):
                assert ice.parse_message(await loop.sock_recv(abroad, 2048)).message_class is ice.Class.RESPONSE
                while (await loop.sock_recv(abroad, 2048))[0] >> 6 != 2:
                    pass  # until a picture comes here
        (fared,) = (await http.get("api/cameras/front-door")).json()["audience"]
        assert fared["restarts"] == 1


async def test_a_session_that_never_was_is_404_and_one_that_ended_may_be_ended_again() -> None:
    async with house() as (http, _):
        posted = await _playing(http)
        location = posted.headers["location"]
        for _ in range(2):
            assert (await http.delete(location)).status_code == 200
        assert _code(await _patch(http, location, CANDIDATE, "*")) == (404, "VIEWER-GONE")
        for other in ("/whep/front-door/never", location.replace("front-door", "driveway")):
            assert _code(await http.delete(other)) == (404, "VIEWER-GONE")
            assert _code(await _patch(http, other, CANDIDATE, "*")) == (404, "VIEWER-GONE")


async def test_who_has_just_left_is_gone_before_its_place_is_cleared() -> None:
    """A restart at that moment would leave a viewer in the port that nobody ever takes out."""
    async with simulator() as ring, ViewerPort(MediaSettings()) as port:
        known = Credentials(ring.world.email, Secret(ring.world.password), ring.world.code)
        playbacks = Playbacks(port)
        async with Account.open(Settings(ring_url=ring.url), store=MemoryTokenStore(), credentials=known) as account:
            leaving = await playbacks.start(await account.camera("front-door"), GOOD_OFFER)
            assert playbacks.find("front-door", leaving.id) is leaving
            leaving.viewer.close(None)
            with pytest.raises(RingError, match="VIEWER-GONE"):
                playbacks.find("front-door", leaving.id)
            await playbacks.end("front-door", leaving.id)  # to end it twice is no error, now as later
            await playbacks.close()


async def test_more_viewers_than_there_are_places_are_told_so_even_while_the_camera_opens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(playback, "MAX_SESSIONS", 1)
    async with house() as (http, _):
        both = await asyncio.gather(*(http.post("whep/front-door", content=GOOD_OFFER, headers=SDP) for _ in range(2)))
        first, second = sorted(both, key=lambda answer: answer.status_code)
        assert first.status_code == 201
        assert _code(second) == (503, "VIEWER-MANY")
        assert (await http.delete(first.headers["location"])).status_code == 200
        assert (await _playing(http)).status_code == 201


async def test_other_methods_are_405_and_name_those_there_are() -> None:
    async with house() as (http, world):
        session = "whep/front-door/any"
        for method, path in [
            *((method, "whep/front-door") for method in ("GET", "PUT", "PATCH", "DELETE")),
            *((method, session) for method in ("GET", "PUT", "POST")),
        ]:
            answer = await http.request(method, path)
            assert _code(answer) == (405, "REQUEST-METHOD"), (method, path)
            taken = {"OPTIONS", "PATCH", "DELETE"} if path == session else {"OPTIONS", "POST"}
            assert set(answer.headers["allow"].split(", ")) == taken
        assert (await http.head("whep/front-door")).status_code == 405
        assert (await http.head(session)).status_code == 405
        elsewhere = await http.delete("api/cameras")
        assert _code(elsewhere) == (405, "REQUEST-METHOD")
        assert elsewhere.headers["allow"] == "GET, HEAD"
        assert world.live_views == 0


async def test_options_say_what_is_taken_and_pages_of_allowed_origins_may_read_it() -> None:
    home = {"Origin": "https://home.example"}
    async with house(origins=["https://home.example"]) as (http, _):
        answer = await http.options("whep/front-door", headers=home)
        assert (answer.status_code, answer.headers["accept-post"]) == (204, "application/sdp")
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert {"Location", "ETag", "Link", "Accept-Post", "Accept-Patch"} <= set(exposed)
        playing = (await _playing(http)).headers["location"]
        session = await http.options(playing, headers=home)
        assert (session.status_code, session.headers["accept-patch"]) == (204, TRICKLE)
        await http.delete(playing)
        assert _code(await http.options(playing)) == (404, "VIEWER-GONE"), "who sees nothing learns that it is over"
        ask = {**home, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "if-match"}
        preflight = await http.options("whep/front-door/any", headers=ask)
        assert "PATCH" in preflight.headers["access-control-allow-methods"]
        assert "If-Match" in preflight.headers["access-control-allow-headers"]


async def test_an_offer_of_another_type_is_415_and_names_the_right_one() -> None:
    async with house() as (http, _):
        for headers in ({"Content-Type": "application/json"}, {}):
            answer = await http.post("whep/front-door", content=GOOD_OFFER.encode(), headers=headers)
            assert _code(answer) == (415, "REQUEST-TYPE")
            assert answer.headers["accept-post"] == "application/sdp"


async def test_how_a_viewer_fares_is_told_without_its_name_or_address() -> None:
    async with house() as (http, _), viewer(str(http.base_url), "front-door", http) as playing:
        await playing.receive(20)
        told = (await http.get("api/cameras/front-door")).json()
        (fared,) = told["audience"]
        assert fared["connected"]
        assert fared["transport"] == "udp"
        assert fared["packets"] >= 20
        assert (fared["loss"], fared["lost"], fared["round_trip_ms"]) == (0, 0, None)
        assert playing.location.rpartition("/")[2] not in str(told)
        assert "127.0.0.1" not in str(told)
        counted = (await http.get("api/media")).json()
        assert (counted["viewers"], counted["forged"], counted["faults"]) == (1, 0, {})
        assert (await http.get("api/cameras/driveway")).json()["audience"] == []


def test_a_line_that_is_too_thin_is_told_in_words() -> None:
    """Of one that was too thin less than half a minute ago too; how it is noticed: tests/media/test_media_line.py."""
    line = Line(100.0, rate=40_000.0, loss=0.01, queue=0.25, held=2, _thin=120.0)
    told = playback.line_as_dict(line, 130.0)
    assert (told["received_kbps"], told["loss"], told["queue_ms"], told["held"]) == (320, 0.01, 250, 2)
    assert told["fault"]["code"] == "VIEWER-THIN"
    assert told["fault"]["detail"] == "it carries 320 kbit/s"
    assert playback.line_as_dict(line, 151.0)["fault"] is None
    assert playback.line_as_dict(Line(100.0), 100.0) == {
        "received_kbps": None, "loss": 0, "queue_ms": 0, "held": 0, "fault": None,
    }  # fmt: skip


# ---- STUN and TURN ----


def test_a_turn_server_gets_a_password_that_it_can_check_by_itself() -> None:
    """As coturn does with `use-auth-secret`: the name is the time until when, the password its HMAC."""
    urls = ["stun:stun.example:3478", "turn:turn.example:3478?transport=udp"]
    stun, turn = IceServers(urls, Secret("shared"), lambda: 1_000_000.5).links()
    assert stun == '<stun:stun.example:3478>; rel="ice-server"'
    name = f"{1_000_000 + LIFETIME}:ringlight"
    password = base64.b64encode(hmac.digest(b"shared", name.encode(), "sha1")).decode()
    assert turn == (
        f'<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="{name}"; credential="{password}"; '
        'credential-type="password"'
    )
    assert "shared" not in turn


@pytest.mark.parametrize(
    ("url", "said"), [("http://x", "no stun:"), ('turn:x>; rel="next"', "no stun:"), ("turn:x", "turn_secret")]
)
def test_what_is_no_ice_server_is_refused_at_the_start(url: str, said: str) -> None:
    with pytest.raises(RingError, match=said) as caught:
        IceServers([url])
    assert caught.value.code == "CFG-INVALID"


@contextlib.asynccontextmanager
async def _with_relays(relays: IceServers) -> AsyncIterator[httpx2.AsyncClient]:
    """A server that never asks its account for a camera."""
    settings = Settings(media=MediaSettings())
    places = Places(settings.players.most)
    listening = listen("127.0.0.1", 0)

    async with (
        Account.open(settings, store=MemoryTokenStore()) as account,
        ViewerPort(settings.media) as port,
        Recordings(settings) as recordings,
        open_database(settings) as database,
        room_server(settings, database, local=True, any_loopback_origin=False) as rooms,
        serving(
            create_app(
                account, Playbacks(port), Access(True, frozenset()), asyncio.Event(), recordings=recordings,
                showings=Showings(settings.players, places), places=places, rooms=rooms, watches=Watches(rooms.record),
                relays=relays,
            ),
            listening,
        ) as running,
        httpx2.AsyncClient(base_url=running.url) as http,
    ):  # fmt: skip
        yield http
    listening.close()


async def test_ice_servers_are_told_to_players_that_ask_before_they_offer() -> None:
    async with _with_relays(IceServers(["stun:a", "turn:b"], Secret("shared"))) as http:
        answer = await http.options("whep/front-door")
        assert [link.partition(";")[0] for link in answer.headers.get_list("link")] == ["<stun:a>", "<turn:b>"]
