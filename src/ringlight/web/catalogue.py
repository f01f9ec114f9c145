"""The catalogue as a module of the rooms' client: a server that is down cannot be asked what that means.

`make faults` writes it anew; a test says when that is due.
"""

import json
from pathlib import Path

from ringlight.faults import FAULTS
from ringlight.rooms.messages import CLOSE_CODES

__all__ = ["MODULE", "catalogue_module"]

MODULE = Path(__file__).parent / "rooms" / "client" / "faults.js"
# What a page of a room may have to say by itself.
_KINDS = (
    "ROOM-",
    "REACH-",
    "WEB-",
    "TURN-",
    "SERVER-",
    "CAM-TALK-",
    "CAM-NO-TALK",
    "VIEWER-NO-",
    "VIEWER-UDP",
    "VIEWER-LOST",
)


def catalogue_module() -> str:
    """Return the text of `faults.js`."""
    rows = {
        code: {"title": fault.title, "cause": fault.cause, "fix": fault.fix, "retry": fault.retry.value}
        for code, fault in sorted(FAULTS.items())
        if code.startswith(_KINDS)
    }
    shown = "\n".join(
        f"  {json.dumps(code)}: {json.dumps(row, ensure_ascii=False)}," for code, row in rows.items()
    )  # fmt: skip
    by_number: dict[int, list[str]] = {}
    for code, number in CLOSE_CODES.items():
        by_number.setdefault(number, []).append(code)
    closes = "\n".join(f"  {number}: {json.dumps(codes)}," for number, codes in sorted(by_number.items()))
    return f"""// Written by `make faults` from the server's catalogue. Do not edit.

/** @typedef {{{{ title: string, cause: string, fix: string, retry: Retry }}}} Row */
/** @typedef {{"now" | "backoff" | "after-fix" | "never"}} Retry */

/** @type {{Record<string, Row>}} */
export const FAULTS = {{
{shown}
}};

/** Which faults a close code may stand for. @type {{Record<number, string[]>}} */
export const BY_CLOSE_CODE = {{
{closes}
}};
"""


if __name__ == "__main__":
    MODULE.write_text(catalogue_module(), encoding="utf-8")
