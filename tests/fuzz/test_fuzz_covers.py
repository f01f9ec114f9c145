"""No reader of foreign bytes is left out: what decodes something is called by a fuzz target, or says who tests it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from fuzz_table import TARGETS

import ringlight

SOURCE = Path(ringlight.__file__).parent
# The simulator is for tests, and its own bounds are in tests/simulator/test_simulator_bounds.py.
MODULES = [path for path in sorted(SOURCE.rglob("*.py")) if "simulator" not in path.relative_to(SOURCE).parts]
DECODERS = {
    "loads", "json", "from_bytes", "unpack", "unpack_from", "b64decode", "urlsafe_b64decode", "fromisoformat",
    "strptime", "parsedate_to_datetime", "parse_qs", "parse_qsl", "fromhex", "load_der_x509_certificate", "ZipFile",
}  # fmt: skip
KNOWN = {
    "cli/partner.py _kept": "a time that it has written itself",
    "doctor/judging_calls.py judge_keys": "a setting: tests/doctor/test_doctor_judging.py",
    "media/receiver.py _repair": "two bytes of a packet that `rtp` has read: tests/media/test_media_receiver.py",
    "media/srtp_gcm.py protect": "our own packet",
    "media/srtp_gcm.py protect_rtcp": "our own packet",
    "partner/last_known.py key_of": "our own address",
    "partner/linking_routes.py _form": "a form, where any bytes are one: tests/partner/test_linking_ways.py",
    "rooms/fast.py opened": "a query, where any bytes are one: tests/rooms/test_rooms_bad_input.py",
    "rooms/joining.py send": "our own frame",
    "rooms/telling.py __init__": "a setting: tests/server/test_server_room_webhooks.py",
    "store/backup.py back_up": "writes",
    "store/backup.py restore": "put together of what `kept-copy` reads: tests/store/test_backup.py",
    "store/pair_database.py _number": "our own digest",
    "store/room_rows.py _room": "a row of our own database, as it was written: tests/store/test_room_rows.py",
}


def _decoders() -> Iterator[tuple[str, int, str]]:
    """Yield file, line and name of each function that decodes something."""
    for path in MODULES:
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if any(_decodes(node) for node in _own(function)):
                first = function.decorator_list[0] if function.decorator_list else function
                yield str(path), first.lineno, function.name


def _own(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """Yield the nodes of a function, those of functions inside of it left out."""
    left: list[ast.AST] = [*function.body]
    while left:
        node = left.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            left += ast.iter_child_nodes(node)


def _decodes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return called in DECODERS or ast.unparse(node.func) in ("msgspec.json.decode", "int.from_bytes")


def test_what_decodes_is_called_by_a_target_or_says_who_tests_it() -> None:
    called = set[tuple[str, int, str]]()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            code = frame.f_code
            called.add((code.co_filename, code.co_firstlineno, code.co_name))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for target in TARGETS:
            for _, data in target.corpus():
                target.run(data)
    finally:
        sys.setprofile(before)
    left_out = {
        f"{Path(file).relative_to(SOURCE)} {name}"
        for file, line, name in _decoders()
        if (file, line, name) not in called
    }
    assert sorted(left_out - set(KNOWN)) == []
    assert sorted(set(KNOWN) - left_out) == [], "a target calls it by now"
