"""Faults of calls that we refuse ourselves, so that Ring is spared and nobody waits in vain."""

from ringlight.faults.fault import Fault, Retry

ROWS = (
    Fault(
        "CALL-DEADLINE",
        "The time for the call is over",
        cause="The call did not end within the time that it was given for waits, renewals of the token, attempts and "
        "the answer's body together.",
        fix="Read the notes of the error: they name each attempt. Give the call more time (`timeout`) if it needs it.",
        retry=Retry.BACKOFF,
        http=504,
        source="calls.md#deadline",
    ),
    Fault(
        "CALL-CIRCUIT",
        "The service is left alone for a while",
        cause="So many of the last calls to this part of Ring failed that no further one is sent for now. One call at "
        "a time tries whether it works again.",
        fix="Wait as long as the error says, or look at Ring's status page. Nothing was sent.",
        retry=Retry.BACKOFF,
        http=503,
        source="calls.md#circuit-breaker",
    ),
    Fault(
        "CALL-BUDGET",
        "The budget for calls to a failing service is spent",
        cause="Ring takes only a small part of what is asked, so this call was turned away here before it was sent.",
        fix="Ask less often, and let what can wait use a slower lane. It ends by itself when Ring answers again.",
        retry=Retry.BACKOFF,
        http=503,
        source="calls.md#budget",
    ),
    Fault(
        "CALL-GATE",
        "The line before the rate gate is too long",
        cause="All calls with this client id go through one gate, and this one's turn would come only after its time.",
        fix="Ask less often, give the call more time, or let history and bulk work use the slower lane.",
        retry=Retry.BACKOFF,
        http=429,
        source="calls.md#rate-gate",
    ),
    Fault(
        "CALL-GATE-ALONE",
        "The gate for many processes cannot be reached",
        cause="The Redis through which all processes share Ring's limit does not answer. Until it does, each keeps to "
        "its own part of the limit, so calls go on, but a busy process gets no more than an idle one.",
        fix="Start Redis again, or look whether `redis_url` is right and the network lets this machine through. The "
        "processes come together again by themselves.",
        retry=Retry.BACKOFF,
        http=503,
        source="calls.md#many-processes",
    ),
)
