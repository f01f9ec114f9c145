"""What the evidence of a person's account and of one view means. Pure: tested without a network."""

from collections.abc import Sequence

from ringlight.doctor.evidence import Viewed
from ringlight.doctor.findings import Seen, failed, fault, good, note, skipped

_MEDIA = ("MEDIA-", "SDP-")


def judge_cameras(refusals: Sequence[tuple[str, str | None]], wanted: Sequence[str] = ()) -> Seen:
    """Judge the list of cameras.

    Args:
        refusals: The name of each camera, and the fault for which it cannot be watched; `None` where it can.
        wanted: Those that are looked at by name; trouble of others is a note then. Empty: all count.
    """
    if not refusals:
        return note("the account has no camera", "CAM-UNKNOWN")
    refused = [(name, code) for name, code in refusals if code is not None]
    if not refused:
        return good(f"{len(refusals)} cameras, and each can be watched")
    names = {one.casefold() for one in wanted}
    counted = [pair for pair in refused if not names or pair[0].casefold() in names]
    seen = f"of {len(refusals)} cameras cannot be watched now: {', '.join(name for name, _ in refused)}"
    return fault(counted[0][1], seen) if counted else note(seen)


def judge_messages(viewed: Viewed) -> Seen:
    """Judge what we said on the socket, by the rules of the protocol; the first mistake is the one to look at."""
    if viewed.complaints:
        method, code, detail = viewed.complaints[0]
        return fault(code, detail if detail.startswith(method) else f"{method}: {detail}")
    if not viewed.sent:
        return skipped("no message was sent")
    return good(f"{viewed.sent} messages, each right; the account's id is in none")


def judge_dialog(viewed: Viewed) -> Seen:
    """Judge what Ring said to it."""
    error = viewed.error
    if error is not None and not error.code.startswith(_MEDIA):
        return failed(error)
    notes = [(code, text) for code, text in viewed.notes if not code.startswith(_MEDIA)]
    if notes:
        code, text = notes[0]
        return note(f"got over: {text}", code)
    if error is not None:
        return good("it was answered")
    return good(f"it ran for {viewed.seconds:.0f} s{', and pings are answered' if viewed.sent else ''}")


def judge_video(viewed: Viewed) -> Seen:
    """Judge what was seen."""
    error = viewed.error
    if error is not None:
        return failed(error) if error.code.startswith(_MEDIA) else skipped("not looked at, because of: dialog")
    notes = [(code, text) for code, text in viewed.notes if code.startswith(_MEDIA)]
    first = f"{viewed.first_packet:.0f} ms" if viewed.first_packet is not None else "no time"
    seen = f"a picture of {viewed.picture} bytes; first packet after {first}"
    return note(f"{seen}; {notes[0][1]}", notes[0][0]) if notes else good(seen)
