"""ICE by itself, as a fragment of a session description (RFC 8840 section 9, RFC 9725 section 4.3). Pure."""

import re
from dataclasses import dataclass

from ringlight.errors import fault_error
from ringlight.media.sdp import Description, Transport

MEDIA_TYPE = "application/trickle-ice-sdpfrag"
MAX_LENGTH = 32 * 1024  # characters; a hundred candidates are 10 thousand
MAX_LINES = 500
_CREDENTIAL = re.compile(r"[A-Za-z0-9+/]+")  # ice-char, RFC 8839 section 5.4
_UFRAG, _PWD = range(4, 257), range(22, 257)  # how long they may be, there


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a viewer says of its ICE.

    Attributes:
        ufrag: Its user fragment; empty where it names none.
        pwd: Its password; the same.
        mids: The sections that it names.
        candidates: Lines without `a=`.
        lite: Whether it says that it only answers checks.
        fingerprint: Of its certificate, where it names one; upper case.
    """

    ufrag: str = ""
    pwd: str = ""
    mids: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    lite: bool = False
    fingerprint: str = ""


def parse(text: str) -> Fragment:
    """Read a fragment. Attributes that are not known are left out, as RFC 8840 asks for.

    Raises:
        MediaError: VIEWER-FRAGMENT, saying what cannot be read.
    """
    if len(text) > MAX_LENGTH:
        raise fault_error("VIEWER-FRAGMENT", f"{len(text)} characters; {MAX_LENGTH} at most are expected")
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line]
    if len(lines) > MAX_LINES:
        raise fault_error("VIEWER-FRAGMENT", f"{len(lines)} lines; {MAX_LINES} at most are expected")
    found: dict[str, set[str]] = {"ice-ufrag": set(), "ice-pwd": set(), "mid": set(), "fingerprint": set()}
    candidates, lite = [], False
    for line in lines:
        if line[1:2] != "=" or line[0] not in "am":
            raise fault_error("VIEWER-FRAGMENT", f"not a line of a fragment: {line[:40]!r}")
        name, _, value = line[2:].strip().partition(":")
        if line[0] == "m":
            continue
        if name in found:
            found[name].add(value)
        elif name == "candidate":
            candidates.append(f"candidate:{value}")
        lite |= name == "ice-lite"
    digests = [value.split()[-1].upper() for value in found["fingerprint"] if value.lower().startswith("sha-256 ")]
    return Fragment(
        _credential("ice-ufrag", found["ice-ufrag"], _UFRAG),
        _credential("ice-pwd", found["ice-pwd"], _PWD),
        tuple(sorted(found["mid"])),
        tuple(candidates),
        lite,
        digests[0] if digests else "",
    )


def _credential(name: str, values: set[str], lengths: range) -> str:
    if len(values) > 1:
        raise fault_error("VIEWER-FRAGMENT", f"{len(values)} different values of {name}; all sections share one way")
    value = next(iter(values), "")
    if values and not (len(value) in lengths and _CREDENTIAL.fullmatch(value)):
        raise fault_error("VIEWER-FRAGMENT", f"{name} is no {lengths[0]} to {lengths[-1]} letters, digits, + or /")
    return value


def write(transport: Transport, answer: Description) -> str:
    """Write our own ICE anew for the session that was answered so: what a restart is answered with."""
    lines = ["a=ice-lite", "a=ice-options:trickle ice2"]
    if answer.bundle:
        lines.append("a=group:BUNDLE " + " ".join(answer.bundle))
    first = next(section for section in answer.sections if section.port)
    formats = " ".join(str(codec.payload_type) for codec in first.codecs)
    lines += [f"m={first.kind} {first.port} {first.protocol} {formats}", f"a=mid:{first.mid}"]
    lines += [f"a=ice-ufrag:{transport.ufrag}", f"a=ice-pwd:{transport.pwd}"]
    lines += [f"a={candidate}" for candidate in transport.candidates]
    return "\r\n".join([*lines, "a=end-of-candidates"]) + "\r\n"


def judge_restart(fragment: Fragment, agreed: Description, fingerprint: str) -> None:
    """Judge whether ICE may begin anew as a fragment says.

    Args:
        fragment: It names another user fragment than before.
        agreed: Our answer to the viewer's offer.
        fingerprint: Of the viewer's certificate.

    Raises:
        MediaError: VIEWER-RESTART, saying what cannot be done.
    """
    if not fragment.pwd:
        raise fault_error("VIEWER-RESTART", "there is a new ice-ufrag but no ice-pwd")
    if fragment.lite:
        raise fault_error("VIEWER-RESTART", "the viewer says ice-lite as we do; nobody would send checks")
    if fragment.fingerprint not in ("", fingerprint):
        raise fault_error("VIEWER-RESTART", "the certificate is another one")
    judge_sections(fragment, agreed)


def judge_sections(fragment: Fragment, agreed: Description) -> None:
    """Judge whether a fragment speaks of sections that there are.

    Raises:
        MediaError: VIEWER-RESTART.
    """
    strange = sorted(set(fragment.mids) - {section.mid for section in agreed.sections})
    if strange:
        raise fault_error("VIEWER-RESTART", f"there is no section {strange[0][:40]!r}")
