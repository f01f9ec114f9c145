"""What the simulated Ring does that another Ring might not: profiles, and what the switches change. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ringlight.simulator.sound import SoundCodec
from ringlight.simulator.switchboard import SWITCHES, Ending

__all__ = ["PROFILES", "Behaviour", "Profile", "behaviour_of"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one view goes, as far as it may go in several ways.

    Attributes:
        answer_first: Whether the answer comes before `session_created`.
        created_as: The name of the message that gives the session id.
        answer_as: The name of the message that brings the answer.
        session_info: Whether the answer tells of the session, the ping interval among it.
        candidates: Where the camera's addresses are told.
        trickle_after: Seconds from the answer to each trickled address.
        early_candidate: Whether the first trickled address comes before the answer.
        tcp: Whether media comes over TCP too: not at all, beside UDP, in its place (UDP leads nowhere then), or
            as an address in its place that leads nowhere itself.
        odd_case: Whether codec names, fingerprint and transports are written in unusual case.
        duplicates: Whether `session_created`, with another id, and the answer come twice.
        noise: Whether messages for other cameras, dialogs and sessions come in between.
        unknown_methods: Whether messages of methods that nobody knows come in between.
        extra_fields: Whether every message has fields that nobody knows.
        echoes_riid: Whether a riid is repeated.
        notice: The text of a notification that is not OK; empty for none.
        transcoding: The reason of a `stream_info` that tells of transcoding; empty for none.
        ping_interval: Seconds; `None` for that of the world.
        hears_pings: Whether pings are heard.
        ticket_life: Seconds.
        time_limit: Seconds of a view; `None` for that of the world.
        activation_limit: Seconds without `activate_session`; `None` for that of the world.
        silent_at: The phase that never comes.
        refusal: Reason and text with which every offer is closed.
        ending: How every view ends, and when.
        eats: A method of the client's that is lost on its way.
        upgrade: The HTTP status that refuses the WebSocket; 0 never answers.
        drops_user_agent: Whether the User-Agent is lost on its way.
        ticket_delay: Seconds that a ticket takes longer.
        video: What the answer says of video.
        direction: Of video in the answer.
        sound_direction: Of sound in the answer. Whatever was asked for, Ring's app is answered with sendrecv
            (observed-protocol.md#answer).
        sound: The codec of the camera's sound, and of what it hears.
        reachable: Whether any media packet comes through.
        sends: Whether the camera sends anything over the open path.
        sends_for: Seconds after which it sends nothing more; `None` goes on.
        key_frames: Whether key frames are among the pictures.
        own_certificate: Whether the answer names the certificate that the camera shows.
        garbles: Whether frames that are no messages come in place of the session.
    """

    answer_first: bool = False
    created_as: Literal["session_created", "session_started"] = "session_created"
    answer_as: Literal["sdp", "live_view"] = "sdp"
    session_info: bool = True
    candidates: Literal["answer", "trickled", "both"] = "answer"
    trickle_after: float = 0.0
    early_candidate: bool = False
    tcp: Literal["none", "also", "only", "nowhere"] = "none"
    odd_case: bool = False
    duplicates: bool = False
    noise: bool = False
    unknown_methods: bool = False
    extra_fields: bool = False
    echoes_riid: bool = True
    notice: str = ""
    transcoding: str = ""
    ping_interval: float | None = None
    hears_pings: bool = True
    ticket_life: float = 60.0
    time_limit: float | None = None
    activation_limit: float | None = None
    silent_at: Literal["", "session", "answer", "camera"] = ""
    refusal: tuple[int, str] | None = None
    ending: Ending | None = None
    eats: str = ""
    upgrade: int | None = None
    drops_user_agent: bool = False
    ticket_delay: float = 0.0
    video: Literal["offered", "unoffered-type", "unoffered-profile", "hevc", "none", "garbage"] = "offered"
    direction: Literal["sendonly", "sendrecv"] = "sendonly"
    sound_direction: Literal["sendonly", "sendrecv"] = "sendrecv"
    sound: SoundCodec = "opus"
    reachable: bool = True
    sends: bool = True
    sends_for: float | None = None
    key_frames: bool = True
    own_certificate: bool = True
    garbles: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """A Ring as somebody describes it.

    Attributes:
        name: In commands and scenario files.
        about: Whose Ring it is.
        behaviour: What it does.
    """

    name: str
    about: str
    behaviour: Behaviour


PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "observed",
            "As Ring's own app was seen to be served in 2026: the session first, candidates in the answer, "
            "TCP ones among them.",
            Behaviour(tcp="also"),
        ),
        Profile(
            "documented",
            "As the prose about 4002 describes it: the answer first, candidates by `ice` only, no word of the ping "
            "interval, tickets for three minutes.",
            Behaviour(answer_first=True, candidates="trickled", session_info=False, ticket_life=180.0),
        ),
        Profile(
            "hostile",
            "All that is legal and nasty at once: strangers' messages, everything twice, unknown methods and fields, "
            "complaints, late and early candidates, odd case, a ping each second.",
            Behaviour(
                answer_first=True,
                created_as="session_started",
                answer_as="live_view",
                candidates="both",
                trickle_after=0.1,
                early_candidate=True,
                tcp="also",
                odd_case=True,
                duplicates=True,
                noise=True,
                unknown_methods=True,
                extra_fields=True,
                echoes_riid=False,
                notice="the camera is in a bad mood",
                transcoding="codec_mismatch",
                ping_interval=1.0,
                ticket_life=5.0,
                direction="sendrecv",
            ),
        ),
    )
}


def behaviour_of(profile: str, on: Iterable[str]) -> Behaviour:
    """Return what a profile does once the switches that are on have changed it; others are passed over.

    Raises:
        KeyError: There is no such profile.
    """
    changes: dict[str, Any] = {}
    for name in sorted(set(on) & set(SWITCHES)):
        changes.update(SWITCHES[name].changes)
    return replace(PROFILES[profile].behaviour, **changes)
