"""How a line of the log looks."""

import asyncio
import json
import logging
import sys

from ringlight.logs import ConsoleLines, JsonLines, about, at_hand, set_about


def _record(message: str, *args: object, level: int = logging.INFO, **more: object) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": "ringlight.rooms", "levelno": level, "levelname": "INFO", "msg": message, "args": args, **more}
    )


def test_values_that_a_template_names_are_fields() -> None:
    line = json.loads(JsonLines().format(_record("webhook_dead code=%s number=%d ms=%.1f", "HOOK-OLD", 7, 1.25)))
    assert (line["event"], line["code"], line["number"]) == (
        "webhook_dead code=HOOK-OLD number=7 ms=1.2",
        "HOOK-OLD",
        7,
    )
    assert line["level"] == "info"
    assert line["time"].endswith("Z")


def test_a_template_without_names_or_with_a_percent_sign_is_its_text_alone() -> None:
    for message, args in (("%d %% of %s", (3, "x")), ("no arguments at 5 %", ()), ("100%% sure", ())):
        line = json.loads(JsonLines().format(_record(message, *args)))
        assert line.keys() == {"time", "level", "logger", "event"}


def test_a_line_is_one_line_whatever_a_peer_has_named() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = _record("it broke: %s", "a\nb\r\nc", exc_info=sys.exc_info())
    assert len(JsonLines().format(record).splitlines()) == 1
    assert "ValueError: two\nlines" in json.loads(JsonLines().format(record))["exception"]
    plain = ConsoleLines().format(_record("it broke: %s", "a\nb\r\nc"))
    assert plain.splitlines() == [plain]


def test_what_a_line_is_about_goes_into_tasks_and_ends_with_the_block() -> None:
    async def work() -> dict[str, str]:
        set_about(room="desk")
        return at_hand()

    async def both() -> dict[str, str]:
        with about(camera="gate"):
            return await asyncio.create_task(work())

    assert asyncio.run(both()) == {"camera": "gate", "room": "desk"}
    assert at_hand() == {}
    with about(camera="gate"):
        assert ConsoleLines().format(_record("view_open")).endswith("view_open camera=gate")
