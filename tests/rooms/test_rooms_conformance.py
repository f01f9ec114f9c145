"""What every adapter of the rooms does alike: the seed's exchange in all orders, refusals in words, both protocols."""

import contextlib
import itertools
import json
from collections.abc import AsyncIterator

import pytest
from websockets.exceptions import ConnectionClosed

from ringlight.faults import FAULTS
from ringlight.rooms.messages import CLOSE_CODES
from ringlight.rooms.people import ROLES, Claims
from ringlight.rooms.tokens import Tokens
from ringlight.settings import RoomSettings
from room_adapters import KEY, Page, Rooms, enter, hear, nothing_more, rooms

pytestmark = pytest.mark.anyio
OFFER = '{"type": "offer",  "offer":{"type":"offer","sdp":"v=0\\r\\n"}, "é":1}'  # spaces, order and all
ANSWER = '{"answer":{"sdp":"v=0\\r\\n","type":"answer"},"type":"answer"}'
CANDIDATE = '{"type":"ice-candidate","candidate":{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host"}}'
LAST = '{"type":"ice-candidate","candidate":null}'
DOCTOR, PATIENT = "/ws/signaling/visit/doctor", "/ws/signaling/visit/patient"


@pytest.fixture(params=["memory", "asgi", "fast"])
async def house(request: pytest.FixtureRequest) -> AsyncIterator[Rooms]:
    async with rooms(request.param) as found:
        yield found


async def test_the_others_are_told_of_a_newcomer_and_the_first_one_hears_nothing(house: Rooms) -> None:
    doctor = await house.page(DOCTOR)
    await nothing_more(doctor)
    patient = await house.page(PATIENT)
    assert await doctor.hear_text() == '{"type":"user-joined","userType":"patient","totalUsers":2}'
    await nothing_more(patient)


@pytest.mark.parametrize("steps", sorted({
    order for order in itertools.permutations(["doctor", "patient", "offer", "candidate"])
    if order.index("doctor") < order.index("offer") < order.index("candidate")
}))  # fmt: skip
async def test_a_call_is_set_up_in_every_order_of_arrival(house: Rooms, steps: tuple[str, ...]) -> None:
    """The offer that the seed's doctor makes into an empty room waits for the patient, with its candidates."""
    pages: dict[str, Page] = {}
    for step in steps:
        if step in ("doctor", "patient"):
            pages[step] = await house.page(f"/ws/signaling/visit/{step}")
        else:
            await pages["doctor"].say(OFFER if step == "offer" else CANDIDATE)
    doctor, patient = pages["doctor"], pages["patient"]
    if steps.index("patient") < steps.index("doctor"):
        assert (await hear(patient))["type"] == "user-joined"
    assert [await patient.hear_text(), await patient.hear_text()] == [OFFER, CANDIDATE]
    for frame in (ANSWER, CANDIDATE, LAST):
        await patient.say(frame)
    if steps.index("doctor") < steps.index("patient"):
        assert (await hear(doctor))["userType"] == "patient"
    assert [await doctor.hear_text() for _ in range(3)] == [ANSWER, CANDIDATE, LAST]
    await nothing_more(doctor)
    await nothing_more(patient)


async def test_an_offer_that_was_answered_is_not_replayed(house: Rooms) -> None:
    doctor, patient = await house.page(DOCTOR), await house.page(PATIENT)
    await doctor.say(OFFER)
    await patient.hear_text()
    await patient.say(ANSWER)
    assert await hear(doctor, "answer")
    again = await house.page(PATIENT)
    await nothing_more(again)


async def test_an_offer_is_replayed_to_a_patient_who_reloads_before_answering(house: Rooms) -> None:
    doctor, patient = await house.page(DOCTOR), await house.page(PATIENT)
    await doctor.say(OFFER)
    assert await patient.hear_text() == OFFER
    again = await house.page(PATIENT)
    assert await again.hear_text() == OFFER


async def test_the_same_role_again_takes_over_and_the_old_socket_is_closed_with_1000(house: Rooms) -> None:
    doctor, patient = await house.page(DOCTOR), await house.page(PATIENT)
    await hear(doctor, "user-joined")
    again = await house.page(PATIENT)
    assert await patient.end() == (1000, "")
    assert await hear(doctor) == {"type": "user-joined", "userType": "patient", "totalUsers": 2}
    await again.say(ANSWER)
    assert await doctor.hear_text() == ANSWER


async def test_who_leaves_is_told_of(house: Rooms) -> None:
    doctor, patient = await house.page(DOCTOR), await house.page(PATIENT)
    await hear(doctor, "user-joined")
    await patient.close()
    assert await hear(doctor) == {"type": "user-left", "userType": "patient", "totalUsers": 1}


@pytest.mark.parametrize("frame", ["no JSON", "[1]", "7", '"x"', "null", "", b"binary", "[" * 60_000])
async def test_a_frame_that_is_no_message_is_answered_and_nobody_else_notices(
    house: Rooms, frame: str | bytes
) -> None:  # fmt: skip
    doctor, patient = await house.page(DOCTOR), await house.page(PATIENT)
    await hear(doctor, "user-joined")
    await patient.say(frame)
    said = await hear(patient)
    assert (said["type"], said["code"]) == ("error", "ROOM-MESSAGE")
    assert said["fix"] == FAULTS["ROOM-MESSAGE"].fix
    await patient.say(CANDIDATE)
    assert await doctor.hear_text() == CANDIDATE


async def test_messages_of_unknown_types_are_passed_on_as_they_came(house: Rooms) -> None:
    doctor, patient = await house.page(DOCTOR), await house.page(PATIENT)
    await hear(doctor, "user-joined")
    for frame in ('{"type":"mute", "on" : true}', '{"no":"type"}', '{"type":5}', '{"type":"offer"}'):
        await patient.say(frame)
        assert await doctor.hear_text() == frame


async def test_a_message_that_is_too_large_is_refused_before_anybody_gets_it(house: Rooms) -> None:
    doctor, patient = await house.page(DOCTOR), await house.page(PATIENT)
    await hear(doctor, "user-joined")
    await patient.say(json.dumps({"type": "x", "much": "a" * 70_000}))
    assert (await hear(patient))["code"] == "ROOM-SIZE"
    assert await patient.end() == (1009, "ROOM-SIZE")
    assert (await hear(doctor))["type"] == "user-left"


async def test_a_flood_is_refused_then_ended_and_the_other_gets_what_was_allowed(house: Rooms) -> None:
    doctor, patient = await house.page(DOCTOR), await house.page(PATIENT)
    await hear(doctor, "user-joined")
    allowed = RoomSettings().burst
    with contextlib.suppress(ConnectionClosed):
        for number in range(allowed + 400):
            await patient.say(json.dumps({"type": "x", "number": number}))
    assert (await hear(patient))["code"] == "ROOM-RATE"
    assert (await patient.end())[0] == CLOSE_CODES["ROOM-RATE"]
    heard = []
    while (frame := await hear(doctor)).get("type") == "x":
        heard.append(frame["number"])
    assert heard == sorted(set(heard))
    assert len(heard) >= allowed
    assert frame["type"] == "user-left"


WRONG = {
    "/ws/signaling/undefined/doctor": "ROOM-ID",
    "/ws/signaling//doctor": "ROOM-ID",
    "/ws/signaling/patient": "ROOM-ID",
    "/ws/signaling/null/patient": "ROOM-ID",
    "/ws/signaling/%7Bid%7D/patient": "ROOM-ID",
    "/ws/signaling/[object%20Object]/patient": "ROOM-ID",
    "/ws/signaling/visit": "ROOM-ROLE",
    "/ws/signaling/visit/undefined": "ROOM-ROLE",
    "/ws/signaling/visit/doctor/more": "ROOM-PATH",
    "/signaling/visit/doctor": "ROOM-PATH",
    "/undefined/ws/signaling": "ROOM-ID",
    "/ws": "ROOM-PATH",
    "/": "ROOM-PATH",
}


@pytest.mark.parametrize("path", WRONG)
async def test_a_wrong_address_is_told_in_a_frame_before_the_close(house: Rooms, path: str) -> None:
    if type(house).__name__ == "InMemory":
        path = path.replace("%7B", "{").replace("%7D", "}").replace("%20", " ")
        code = WRONG.get(path) or "ROOM-ID"
    else:
        code = WRONG[path]
    page = await house.page(path)
    said = await hear(page)
    assert said["code"] == code
    assert said["fix"]
    assert await page.end() == (CLOSE_CODES[code], code)


async def test_a_doubled_slash_in_the_address_changes_nothing(house: Rooms) -> None:
    doctor = await house.page("//ws/signaling/visit/doctor")
    await house.page("/ws//signaling/visit//patient")
    assert (await hear(doctor))["userType"] == "patient"


async def test_a_page_of_another_origin_is_told_so(house: Rooms) -> None:
    page = await house.page(DOCTOR, origin="https://evil.example")
    assert (await hear(page))["code"] == "ROOM-ORIGIN"
    assert await page.end() == (4403, "ROOM-ORIGIN")
    local = await house.page(DOCTOR, origin="http://localhost:3000")
    await nothing_more(local)


async def test_pages_of_both_protocols_meet_in_one_room(house: Rooms) -> None:
    doctor = await house.page(DOCTOR)
    await doctor.say(OFFER)
    await doctor.say(CANDIDATE)
    await nothing_more(doctor)
    patient, welcome = await enter(house, "patient")
    people = (await hear(patient, "roster"))["people"]
    assert [person["role"] for person in people] == ["clinician"]
    assert people[0]["polite"] is True
    other = people[0]["id"]
    offer = await hear(patient)
    assert (offer["t"], offer["from"], offer["description"]["type"]) == ("signal", other, "offer")
    assert "candidate" in await hear(patient)
    assert (await hear(doctor)) == {"type": "user-joined", "userType": "patient", "totalUsers": 2}
    answer = {"type": "answer", "sdp": "v=0\r\n"}
    await patient.say({"t": "signal", "rid": 1, "to": other, "description": answer})
    assert await hear(patient) == {"t": "ok", "rid": 1}
    assert await hear(doctor) == {"type": "answer", "answer": answer}
    await patient.say({"t": "signal", "candidate": None})
    assert await doctor.hear_text() == LAST
    await doctor.say('{"type":"caption","text":"x"}')
    assert (await hear(patient))["message"] == {"type": "caption", "text": "x"}
    await patient.say({"t": "bye"})
    assert await hear(doctor) == {"type": "user-left", "userType": "patient", "totalUsers": 1}
    assert welcome["resumed"] is False


async def test_a_patient_waits_until_somebody_lets_them_in(house: Rooms) -> None:
    patient, _ = await enter(house, "patient", name="B")
    assert (await hear(patient))["t"] == "waiting"
    doctor, _ = await enter(house, "clinician")
    await hear(doctor, "roster")
    knock = await hear(doctor)
    assert (knock["t"], knock["name"]) == ("knock", "B")
    await patient.say({"t": "chat", "rid": 1, "text": "let me in"})
    assert (await hear(patient))["code"] == "ROOM-WAITING"
    await patient.say({"t": "admit", "rid": 2})
    assert (await hear(patient))["code"] == "ROOM-WAITING"
    await doctor.say({"t": "admit", "rid": 1, "id": knock["id"]})
    assert (await hear(patient))["t"] == "roster"
    joined = await hear(doctor, "joined")
    assert joined["person"] == {"id": knock["id"], "role": "patient", "name": "B"}
    await patient.say({"t": "chat", "rid": 3, "text": "thank you"})
    assert (await hear(doctor, "chat"))["text"] == "thank you"


async def test_a_connection_that_broke_gets_what_it_missed_once_and_in_order(house: Rooms) -> None:
    doctor, welcome = await enter(house, "clinician")
    seen = (await hear(doctor, "roster"))["seq"]
    other, _ = await enter(house, "clinician")
    seen = (await hear(doctor, "joined"))["seq"]
    await doctor.close()
    assert (await hear(other, "left"))["grace_s"] == 30.0
    for number in range(5):
        await other.say({"t": "chat", "rid": number + 1, "text": str(number)})
        await hear(other, "ok")
    doctor, again = await enter(house, "clinician", session=welcome["session"], resume=welcome["resume"], seq=seen)
    assert (again["resumed"], again["session"]) == (True, welcome["session"])
    assert again["resume"] != welcome["resume"]
    missed = [await hear(doctor) for _ in range(5)]
    assert [frame["text"] for frame in missed] == ["0", "1", "2", "3", "4"]
    assert [frame["seq"] for frame in missed] == list(range(seen + 1, seen + 6))
    assert (await hear(other, "back"))["id"] == welcome["you"]["id"]


async def test_a_message_sent_again_after_a_resume_counts_once(house: Rooms) -> None:
    doctor, welcome = await enter(house, "clinician")
    other, _ = await enter(house, "clinician")
    await doctor.say({"t": "chat", "rid": 1, "text": "once"})
    await hear(other, "chat")
    await doctor.close()
    await hear(other, "left")
    doctor, again = await enter(house, "clinician", session=welcome["session"], resume=welcome["resume"], seq=0)
    assert again["rid"] == 1
    for rid, text in ((1, "once"), (2, "twice")):
        await doctor.say({"t": "chat", "rid": rid, "text": text})
    assert (await hear(other, "chat"))["text"] == "twice"


async def test_a_guessed_resume_secret_opens_nobodys_place(house: Rooms) -> None:
    doctor, welcome = await enter(house, "clinician")
    guess, mine = await enter(house, "patient", session=welcome["session"], resume="guessed", seq=0)
    assert mine["you"]["role"] == "patient"
    assert mine["session"] != welcome["session"]
    assert (await hear(guess))["t"] == "waiting"
    await nothing_more(guess, own=True)
    assert doctor


async def test_a_token_says_who_enters_where_and_its_holder_takes_over(house: Rooms) -> None:
    tokens = Tokens(KEY, 600)
    claims = Claims("visit", "u_1", "clinician", ROLES["clinician"], "Dr A")
    token = tokens.sign(claims, house.porter.now).reveal()
    first, _ = await enter(house, "patient", "another", token=token)
    second, welcome = await enter(house, "patient", token=token)
    assert (welcome["room"], welcome["you"]["role"]) == ("visit", "clinician")
    assert (await hear(first, "error"))["code"] == "ROOM-REPLACED"
    assert (await hear(first))["action"] == "leave"
    assert (await first.end())[0] == 4409
    seed = await house.page(f"{DOCTOR}?token={token}")
    assert (await second.end())[0] == 4409
    await nothing_more(seed)
    for address in ("other/doctor", "visit/patient"):
        wrong = await house.page(f"/ws/signaling/{address}?token={token}")
        assert (await hear(wrong))["code"] == "ROOM-TOKEN"


async def test_the_old_address_is_no_way_around_the_lobby(house: Rooms) -> None:
    token = Tokens(KEY, 600).sign(Claims("visit", "u_2", "patient", ROLES["patient"]), house.porter.now).reveal()
    patient = await house.page(f"{PATIENT}?token={token}")
    await patient.say(OFFER)
    assert (await hear(patient))["code"] == "ROOM-WAITING"


async def test_the_first_message_must_be_hello(house: Rooms) -> None:
    page = await house.page("/ws/v2")
    await page.say({"t": "ping"})
    assert (await hear(page))["code"] == "ROOM-HELLO"
    assert (await page.end())[0] == 4408
    page = await house.page("/ws/v2")
    await page.say({"t": "hello", "v": 3})
    assert (await hear(page))["code"] == "ROOM-MESSAGE"


async def test_ending_a_visit_tells_everybody(house: Rooms) -> None:
    doctor, patient = await house.page(DOCTOR), (await enter(house, "clinician"))[0]
    await patient.say({"t": "end", "rid": 1})
    assert (await hear(patient, "bye")) == {"t": "bye", "reason": "ended", "action": "leave"}
    assert (await patient.end())[0] == 4410
    assert (await hear(doctor, "error"))["code"] == "ROOM-ENDED"
    assert (await doctor.end())[0] == 1000
