"""The time of day jumps below a server: it says so, and loses nothing by it."""

from pathlib import Path

import httpx2
import pytest

from ringlight.faults import FAULTS
from ringlight.partner.webhooks import signature_of
from ringlight.secrets import Secret
from ringlight.server import clock_watch, program
from ringlight.settings import PartnerSettings, ServerSettings, Settings
from ringlight.simulator.partner.envelope import envelope

pytestmark = pytest.mark.anyio
HMAC_KEY = Secret("c2ltLWhtYWMta2V5LWZvci1yaW5nbGlnaHQ=")
DAY = 86_400.0


class Machine:
    """Its time of day can be set."""

    wall, steady = 1e9, 5.0

    def pass_time(self, seconds: float, jump: float = 0.0) -> None:
        self.steady += seconds
        self.wall += seconds + jump


@pytest.mark.parametrize(("jump", "words"), [(3600.0, "by 3600 s ahead"), (-DAY, "by 86400 s back")])
def test_it_is_told_with_the_way_out_until_the_clock_is_put_right(
    jump: float, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine()
    watch = clock_watch.ClockWatch(lambda: machine.wall, lambda: machine.steady)
    machine.pass_time(1, jump)
    for _ in range(3):
        watch.look()
        machine.pass_time(1)
    (problem,) = watch.problems
    assert (problem.code, problem.detail) == ("CLOCK-JUMP", words)
    assert "NTP" in problem.fault.fix
    assert [record.levelname for record in caplog.records] == ["WARNING"], "said once"
    machine.pass_time(1, -jump)
    watch.look()
    assert watch.problems == ()


async def test_the_page_hears_of_it_and_a_webhook_that_seems_too_old_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    watches: list[clock_watch.ClockWatch] = []
    machine = Machine()

    def watch() -> clock_watch.ClockWatch:
        watches.append(clock_watch.ClockWatch(lambda: machine.wall, lambda: machine.steady))
        return watches[0]

    monkeypatch.setattr(program, "ClockWatch", watch)
    partner = PartnerSettings(hmac_keys=[HMAC_KEY])
    settings = Settings(state_dir=tmp_path, server=ServerSettings(port=0), partner=partner)
    # As for a server whose clock is four days ahead: what Ring sends now seems to be older than it ever sends.
    body = envelope("motion_detected", request_id="r", account="ada", device="d", at_ns=int(1e18))
    headers = {"Content-Type": "application/json", "X-Signature": signature_of(body, HMAC_KEY)}
    async with program.run_server(settings) as running, httpx2.AsyncClient(base_url=running.url) as http:

        async def webhook() -> tuple[int, str]:
            answer = await http.post("ring/webhook", content=body, headers=headers)
            return answer.status_code, answer.headers.get("retry-after", "")

        assert (await webhook())[0] == 401, "somebody replays an old one"
        machine.pass_time(1, 4 * DAY)
        watches[0].look()
        assert (await webhook())[0] == 503
        faults = (await http.get("api/cameras")).json()["faults"]
        assert [fault["code"] for fault in faults] == ["CLOCK-JUMP"]
        assert (await http.get("api/status")).json()["notices"][0]["title"] == FAULTS["CLOCK-JUMP"].title
        machine.pass_time(1, -4 * DAY)
        watches[0].look()
        assert (await http.get("api/cameras")).json()["faults"] == []
