"""Which of several faults is the cause: a table of what explains what, and one order of all causes. Pure.

A fault that another one explains is an effect: it goes away with its cause. Among the causes that are left, the one is
first that lies nearest to this machine; what lies behind it often cannot be seen until it is put right.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ringlight.doctor.checks import CHECKS
from ringlight.doctor.findings import Finding, Mark
from ringlight.faults import FAULTS

__all__ = ["ORDER", "RULES_OUT", "Verdict", "rank", "rules_out", "verdict"]

# From this machine outwards. A name with `*` stands for all rows of the catalogue that it fits and that are not named
# elsewhere; what is named nowhere comes last, in the order of the catalogue.
ORDER: tuple[str, ...] = (
    # 1. This program and this machine
    "REACH-SANDBOX", "CFG-INVALID", "CFG-DEPENDENCY", "CFG-STATE-DIR", "STORE-*", "CFG-PORT", "CFG-SECRET-KEY",
    # 2. The address, as it is written
    "REACH-URL", "REACH-MIXED", "WEB-INSECURE", "ROOM-ID", "ROOM-ROLE",
    # 3. The clock, on which certificates, tokens and signatures depend
    "REACH-CLOCK",
    # 4. The way to the server
    "SIG-REGION", "NET-DNS", "REACH-LOOPBACK", "REACH-FIREWALL", "REACH-REFUSED", "NET-UNREACHABLE",
    "REACH-SCHEME", "REACH-CERT-NAME", "REACH-CERT-EXPIRED", "REACH-CERT-ISSUER", "NET-TLS", "NET-*",
    "SERVER-GONE", "REACH-OTHER", "AUTH-EDGE-BLOCK",
    # 5. Whether one is let in
    "ORIGIN-REFUSED", "ROOM-ORIGIN", "REACH-CORS", "KEY-NEEDED", "ROOM-PATH", "REACH-PROXY",
    "ROOM-TOKEN-EXPIRED", "ROOM-TOKEN", "ROOM-TOKEN-NEEDED", "REACH-CUT", "REACH-CLOSED", "ROOM-*",
    # 6. The account, or the app and its links
    "AUTH-SIGNED-OUT", "AUTH-LINK-LOST", "AUTH-PASSWORD", "AUTH-*", "ACCOUNT-SESSION", "ACCOUNT-FORBIDDEN",
    "LINK-KEY", "PARTNER-WRONG-TOKEN", "LINK-NONE", "LINK-LOST", "LINK-REFUSED", "LINK-UNAVAILABLE", "LINK-ANSWER",
    "PARTNER-AUTH", "RING-RATE", "PARTNER-RATE", "RING-DOWN", "PARTNER-SERVER", "PARTNER-UNAVAILABLE",
    "PARTNER-ANSWER", "PARTNER-SCOPE", "PARTNER-NO-DEVICES", "PARTNER-NOT-FOUND", "PARTNER-DEVICE-OFFLINE",
    "PARTNER-CONSENT", "PARTNER-FORBIDDEN", "PARTNER-*", "LINK-*", "HOOK-LOST", "HOOK-LATE", "HOOK-*",
    # 7. The camera, before any view of it
    "CAM-UNKNOWN", "CAM-GONE", "CAM-OFFLINE", "CAM-DISABLED", "CAM-VIDEO-OFF", "CAM-PRIVACY",
    # 8. Ring's socket, and what is said on it
    "TICKET-*", "SIG-BLOCKED", "SIG-USER-AGENT", "SIG-TICKET", "SIG-UPGRADE",
    "SIG-NOISE", "SIG-METHOD", "SIG-DIALOG-ID", "SIG-DOORBOT-ID", "SIG-FORMAT", "SIG-SDP", "SIG-CANDIDATE",
    "SIG-ORDER", "SIG-SESSION-ID", "SIG-NO-ACTIVATION", "ACCOUNT-ID", "SIG-TOKEN", "SIG-AUTH", "SIG-REJECTED", "SIG-*",
    # 9. Media
    "SDP-*", "MEDIA-UDP", "REACH-NAT", "TURN-UNREACHABLE", "TURN-CREDENTIALS", "TURN-RELAY", "VIEWER-NO-WEBRTC",
    "VIEWER-UDP", "WEB-NO-PATH", "MEDIA-*",
    # 10. What a browser refuses
    "WEB-NO-DEVICE", "WEB-DENIED", "WEB-DEVICE-BUSY", "WEB-SLOW",
)  # fmt: skip

_LINT = (
    "SIG-NOISE", "SIG-METHOD", "SIG-DIALOG-ID", "SIG-DOORBOT-ID", "SIG-FORMAT", "SIG-SDP", "SIG-CANDIDATE",
    "SIG-ORDER", "SIG-SESSION-ID",
)  # fmt: skip
_AFTER_A_WRONG_MESSAGE = (
    "SIG-REJECTED", "SIG-SESSION-LOST", "SIG-NO-*", "SIG-CLOSE-OTHER", "SIG-ENDED", "SIG-DROPPED", "SIG-TIME-LIMIT",
    "SIG-PING", "SDP-*", "MEDIA-*",
)  # fmt: skip
_TOKENS = ("AUTH-TOKEN", "TICKET-REFUSED", "SIG-TICKET", "SIG-UPGRADE", "SIG-TOKEN", "SIG-AUTH", "PARTNER-AUTH")

# A cause, and what goes away with it.
RULES_OUT: Mapping[str, tuple[str, ...]] = {
    "REACH-SANDBOX": ("NET-*", "REACH-FIREWALL", "REACH-REFUSED", "MEDIA-UDP", "TURN-UNREACHABLE"),
    "CFG-STATE-DIR": ("AUTH-SIGNED-OUT", "LINK-NONE", "STORE-*"),
    "CFG-PORT": ("REACH-OTHER", "REACH-PROXY", "ROOM-PATH"),
    "REACH-MIXED": ("REACH-CORS", "REACH-PROXY", "REACH-SCHEME"),
    "WEB-INSECURE": ("WEB-DENIED", "WEB-NO-DEVICE", "WEB-DEVICE-BUSY"),
    "ROOM-ID": ("ROOM-*", "REACH-CLOSED", "REACH-PROXY"),
    "ROOM-ROLE": ("ROOM-PATH", "REACH-CLOSED", "REACH-PROXY"),
    "ROOM-PATH": ("REACH-CLOSED", "REACH-PROXY"),
    "REACH-CLOCK": ("REACH-CERT-EXPIRED", "NET-TLS", *_TOKENS, "TURN-CREDENTIALS", "ROOM-TOKEN-EXPIRED",
                    "HOOK-OLD", "HOOK-FUTURE", "LINK-STALE", "HOOK-LOST"),
    "NET-DNS": ("AUTH-*", "MEDIA-UDP", "TURN-UNREACHABLE"),
    "SIG-REGION": ("SIG-BLOCKED", "SIG-UPGRADE", "NET-DNS"),
    "REACH-LOOPBACK": ("REACH-REFUSED", "VIEWER-UDP"),
    "REACH-FIREWALL": ("NET-TIMEOUT", "MEDIA-UDP", "VIEWER-UDP"),
    "REACH-OTHER": ("REACH-PROXY", "ROOM-*", "REACH-CLOSED"),
    "AUTH-EDGE-BLOCK": ("AUTH-*", "TICKET-*", "SIG-*", "RING-*"),
    "REACH-CORS": ("REACH-PROXY",),
    "AUTH-LINK-LOST": ("AUTH-TOKEN", "TICKET-REFUSED"),
    "LINK-LOST": ("PARTNER-AUTH", "LINK-DORMANT"),
    "PARTNER-WRONG-TOKEN": ("PARTNER-AUTH", "LINK-LOST"),
    "PARTNER-NO-DEVICES": ("PARTNER-NOT-FOUND", "PARTNER-NO-FOOTAGE"),
    "LINK-KEY": ("LINK-NONCE", "PARTNER-NONCE", "HOOK-SIGNATURE", "HOOK-LOST"),
    "CAM-OFFLINE": ("SIG-*", "MEDIA-*"),
    "CAM-DISABLED": ("SIG-*", "MEDIA-*"),
    "CAM-VIDEO-OFF": ("SIG-*", "MEDIA-*"),
    "CAM-PRIVACY": ("MEDIA-*",),
    "SIG-BLOCKED": ("SIG-NO-*", "MEDIA-*"),
    **dict.fromkeys(_LINT, _AFTER_A_WRONG_MESSAGE),
    "MEDIA-UDP": ("REACH-NAT", "VIEWER-UDP", "WEB-NO-PATH", "MEDIA-*"),
    "TURN-UNREACHABLE": ("TURN-CREDENTIALS", "WEB-NO-PATH"),
    "TURN-CREDENTIALS": ("WEB-NO-PATH",),
    "TURN-RELAY": ("WEB-NO-PATH",),
    "REACH-NAT": ("WEB-NO-PATH",),
    "VIEWER-NO-WEBRTC": ("VIEWER-UDP", "WEB-*"),
}  # fmt: skip


def _first_fitting() -> dict[str, int]:
    exact = {name: place for place, name in enumerate(ORDER) if "*" not in name}
    patterns = [(name, place) for place, name in enumerate(ORDER) if "*" in name]
    return {
        code: exact.get(code, next((place for name, place in patterns if fnmatchcase(code, name)), len(ORDER)))
        for code in FAULTS
    }


_PLACE = _first_fitting()
_CHECK = {name: number for number, name in enumerate(CHECKS)}
_LISTED = {code: number for number, code in enumerate(FAULTS)}


def rank(code: str) -> tuple[int, int]:
    """Return where a code stands among all causes; smaller is nearer to this machine, and no two are equal."""
    return _PLACE[code], _LISTED[code]


def rules_out(cause: str, effect: str) -> bool:
    """Whether an effect goes away with a cause. A cause explains only what comes after it in the order."""
    patterns = RULES_OUT.get(cause, ())
    return rank(cause) < rank(effect) and any(fnmatchcase(effect, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, the first cause first.

    Attributes:
        first: What to fix first; `None` where nothing was found.
        rest: Further causes, in order.
        effects: What goes away with a cause: the finding, and the code of the cause.
    """

    first: Finding | None
    rest: tuple[Finding, ...] = ()
    effects: tuple[tuple[Finding, str], ...] = ()

    @property
    def is_healthy(self) -> bool:
        """Whether nothing was found, not even a note with a code."""
        return self.first is None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "healthy": self.is_healthy,
            "first": self.first.as_dict() if self.first else None,
            "rest": [finding.as_dict() for finding in self.rest],
            "effects": [{**finding.as_dict(), "because_of": cause} for finding, cause in self.effects],
        }


def verdict(findings: Iterable[Finding]) -> Verdict:
    """Find the cause. The order of the findings does not matter; a note comes after every fault."""
    found = sorted((one for one in findings if one.code is not None), key=_place_of)
    causes: dict[str, Finding] = {}
    effects: list[tuple[Finding, str]] = []
    for finding in found:
        code = finding.code or ""
        if code in causes and finding.mark is not Mark.FAULT:
            continue  # a note of what is a fault already
        because = next((cause for cause in causes if rules_out(cause, code)), None)
        if because is not None:
            effects.append((finding, because))
        elif code in causes:
            effects.append((finding, code))
        else:
            causes[code] = finding
    first, *rest = causes.values() or (None,)
    return Verdict(first, tuple(one for one in rest if one is not None), tuple(effects))


def _place_of(finding: Finding) -> tuple[bool, tuple[int, int], int, str, str]:
    code = finding.code or ""
    return finding.mark is not Mark.FAULT, rank(code), _CHECK[finding.check], finding.subject, finding.seen
