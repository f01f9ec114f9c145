"""Faults of webhooks: what is not Ring's is refused for good, what is ours is tried again."""

from ringlight.faults.fault import Fault, Retry

_SOURCE = "partner-api.md#webhooks"

ROWS = (
    Fault(
        "HOOK-UNSIGNED",
        "A webhook without a signature",
        cause="A request to the webhook's address had no `X-Signature`. Ring signs every delivery.",
        fix="If it was yours, sign the raw body: `ringlight partner webhook-send` does. Otherwise it was somebody "
        "else, and there is nothing to do.",
        retry=Retry.NEVER,
        http=401,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-SIGNATURE",
        "A webhook with a wrong signature",
        cause="The signature does not fit the body: another key, or the body was changed on its way, for example "
        "decoded and encoded again by a proxy.",
        fix="Compare `partner.hmac_keys` with the signature key in the developer portal: it is used as the text that "
        "it is, not decoded from Base64. Let proxies pass the body on byte by byte.",
        retry=Retry.AFTER_FIX,
        http=401,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-OLD",
        "A webhook that is too old",
        cause="The signed time is further back than Ring ever repeats a delivery: somebody replays an old one.",
        fix="Look whether this machine's clock is right. Otherwise there is nothing to do.",
        retry=Retry.NEVER,
        http=401,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-FUTURE",
        "A webhook from the future",
        cause="The signed time is minutes ahead of this machine's clock.",
        fix="Set this machine's clock by NTP.",
        retry=Retry.AFTER_FIX,
        http=401,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-TYPE",
        "A webhook that is no JSON by its type",
        cause="The request's Content-Type is not `application/json`, which every delivery of Ring has.",
        fix="If it was yours, send `Content-Type: application/json`.",
        retry=Retry.NEVER,
        http=415,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-SIZE",
        "A webhook that is too long",
        cause="The body is hundreds of times longer than any delivery of Ring.",
        fix="There is nothing to do: it was not read to its end.",
        retry=Retry.NEVER,
        http=413,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-FORM",
        "A signed webhook that cannot be understood",
        cause="The signature is right, but the body lacks what every delivery has: a time, a request id and a type.",
        fix="If it was yours, compare it with docs/how-to/receive-webhooks.md. If it was Ring's, report it with the "
        "log line.",
        retry=Retry.AFTER_FIX,
        http=400,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-ACCOUNT",
        "A webhook of an account that is not known",
        cause="The delivery is Ring's, but this app has no link with its account.",
        fix="Link the account, or look whether `partner.accounts` and the store of links are the right ones.",
        retry=Retry.AFTER_FIX,
        http=403,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-BUSY",
        "Webhooks cannot be stored fast enough",
        cause="A delivery was not stored in the few seconds that Ring waits, so it was answered 503. Ring sends it "
        "again.",
        fix="Look whether the database's disk is slow or full, or other programs lock it.",
        retry=Retry.BACKOFF,
        http=503,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-LATE",
        "The webhook receiver answers too late",
        cause="Ring waits five seconds for the answer to a delivery. This receiver took longer, so the delivery counts "
        "as failed and comes again.",
        fix="Store the delivery, answer 200 at once, and do the work afterwards.",
        retry=Retry.AFTER_FIX,
        http=504,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-LOST",
        "The webhook receiver refuses deliveries",
        cause="The receiver answered with a 4xx. Ring never sends such a delivery again: the event is lost.",
        fix="Correct what the status says: 404 is a wrong address, 401 and 403 a wrong key or a login before it, 429 a "
        "limit of requests, from which this address must be free: no `Retry-After` helps. For trouble of your own "
        "answer 503, and Ring tries again.",
        retry=Retry.AFTER_FIX,
        http=502,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-FAILING",
        "The webhook receiver fails",
        cause="The receiver answered with a 5xx. Ring sends the delivery again, six times in some 73 minutes, and then "
        "gives it up.",
        fix="Read the receiver's own log: what failed there is named there. 502 and 504 are of a proxy that does not "
        "reach it. A receiver of Ringlight answers 503 while it cannot store anything, and its log says why.",
        retry=Retry.BACKOFF,
        http=502,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-REDIRECT",
        "The webhook receiver sends deliveries elsewhere",
        cause="The receiver answered with a redirect. A delivery is sent to the address that was registered, and is "
        "not followed by us; whether Ring follows is nowhere documented.",
        fix="Register the address that the redirect leads to: `https` instead of `http`, the final name, a slash more "
        "or less at the end. `curl -i` shows it as `Location`. Where it leads to a login, let this address be free of "
        "that.",
        retry=Retry.AFTER_FIX,
        http=502,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-HANDLER",
        "A handler of the app failed",
        cause="The app's own function for this event raised an error or took too long, each time that it was tried.",
        fix="Read the log for the error, correct the function, then `ringlight partner dead-letters replay`.",
        retry=Retry.AFTER_FIX,
        http=500,
        source=_SOURCE,
    ),
    Fault(
        "HOOK-UNDELIVERED",
        "Nobody took a webhook of ours",
        cause="The receiver at `rooms.webhook_url` could not be reached, or did not answer with a status of 200 to "
        "299. A redirect is not followed.",
        fix="Correct the address or the receiver; the detail says what came back. `POST /api/rooms/webhook-test` tries "
        "it. What could not be delivered is tried again for 72 hours.",
        retry=Retry.BACKOFF,
        http=502,
    ),
    Fault(
        "HOOK-INTERRUPTED",
        "A handler of the app was interrupted",
        cause="The process ended while the app's function ran for this event; how far it came is not known, so it is "
        "not run again by itself.",
        fix="See what the function has done, then replay or drop the event with `ringlight partner dead-letters`. "
        "Register functions that may run twice with `repeatable=True`: those go on by themselves.",
        retry=Retry.AFTER_FIX,
        http=500,
        source=_SOURCE,
    ),
)
