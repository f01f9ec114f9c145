"""The faults that the simulated Partner API can be told to show. Pure.

They are apart from those of `switchboard.py`, which somebody sees who watches a camera of an own account.
"""

from ringlight.simulator.switchboard import SWITCHES, SimFault

__all__ = ["ALL_SWITCHES", "PARTNER_SWITCHES"]

PARTNER_SWITCHES = {
    switch.name: switch
    for switch in (
        # Tokens and rights
        SimFault("partner-link-lost", "Link revoked",
                 "All tokens of the app are revoked: 401 for each call, `invalid_grant` for each refresh."),
        SimFault("partner-access-ended", "Access tokens ended",
                 "All access tokens end when it is switched on; a refresh brings good ones."),
        SimFault("partner-401", "Never authorised", "Each call is answered 401, whatever the token."),
        SimFault("partner-401-empty", "Never authorised, and no word",
                 "Each call is answered 401 with an empty body, whatever the token."),
        SimFault("partner-403", "Out of scope", "Each call is answered 403."),
        SimFault("partner-no-devices", "Devices withdrawn",
                 "No device is shared any more: an empty list, and 404 for each of them."),
        SimFault("partner-token-503", "Token service down", "The token service answers 503."),
        SimFault("partner-token-html", "A hotel's page for tokens",
                 "The token service answers 200 with a page of HTML."),
        SimFault("partner-token-lost", "Answer of the token service lost",
                 "A refresh token is spent, and the connection is cut before the new pair is sent."),
        SimFault("partner-rotation-grace", "Old refresh token still good",
                 "A spent refresh token works for a minute more, and its second use revokes nothing."),
        # Limits and outages
        SimFault("partner-429", "Too many requests", "Each call is answered 429 and names the seconds to wait."),
        SimFault("partner-429-date", "Too many requests, with a date",
                 "Each call is answered 429 and names the time of day to wait for."),
        SimFault("partner-429-bare", "Too many requests, without a hint",
                 "Each call is answered 429 without a Retry-After."),
        SimFault("partner-500", "Internal error", "Each call is answered 500."),
        SimFault("partner-502", "Bad gateway", "Each call is answered 502 with the edge's page of HTML."),
        SimFault("partner-503", "Server busy", "Each call is answered 503 with `SERVER_BUSY`."),
        SimFault("partner-flaky", "Half of it fails", "Every second call is answered 503 with `SERVER_BUSY`."),
        # The wire
        SimFault("partner-silent", "No answer", "Calls are taken and never answered."),
        SimFault("partner-cut", "Connection cut", "The connection is cut before the answer."),
        SimFault("partner-cut-body", "Connection cut in the body", "The connection is cut in the middle of the body."),
        SimFault("partner-slow", "Slow body", "The body comes in eight parts with half a second between them."),
        SimFault("partner-html", "HTML in place of JSON", "Each call is answered 200 with a page of HTML."),
        SimFault("partner-truncated", "Half a document", "The JSON ends in the middle, and the length agrees."),
        SimFault("partner-bad-gzip", "Broken compression", "The body is gzip that ends in the middle."),
        SimFault("partner-huge", "Ten megabytes", "The JSON is followed by ten megabytes of spaces."),
        # Devices and footage
        SimFault("partner-offline", "Devices offline", "Each device is offline, and a live view is answered 503."),
        SimFault("partner-media-301", "Clips by 301", "A clip is answered 301 with an address of the storage."),
        SimFault("partner-media-303", "Clips by 303", "A clip is answered 303 with an address of the storage."),
        SimFault("partner-media-missing", "No footage", "There is no footage of any time: 416."),
        SimFault("partner-media-early", "Footage not ready", "No footage is ever ready: 425."),
        SimFault("partner-media-corrupt", "Corrupt footage", "All footage is corrupt: 422."),
        SimFault("partner-media-encrypted", "Encrypted footage",
                 "Footage comes as bytes that only its owner can read."),
        SimFault("partner-media-busy", "Storage busy", "The storage answers 503 with `SERVER_BUSY`."),
        SimFault("partner-media-expired", "Addresses expire at once", "An address of the storage is never good: 403."),
        SimFault("partner-media-cut", "Storage cuts",
                 "The storage cuts the connection after each 64 KiB."),
        SimFault("partner-media-changed", "Footage changes", "The storage gives each answer another ETag."),
        SimFault("partner-media-no-range", "Storage without ranges", "The storage ignores Range."),
        # Live view
        SimFault("partner-view-short", "Short view", "The pictures of a live view stop after three seconds."),
        SimFault("partner-view-dark", "No pictures", "A live view is connected, and no picture comes."),
        SimFault("partner-view-busy", "One view at a time", "A second live view of a camera is answered 409."),
        SimFault("partner-view-relative", "Relative Location", "A live view's Location begins with a slash."),
        SimFault("partner-view-foreign", "Foreign Location", "A live view's Location is on another origin."),
        # Webhooks
        SimFault("partner-webhook-duplicate", "Webhooks twice", "Each webhook is sent twice, with one request id."),
        SimFault("partner-webhook-reorder", "Webhooks in another order",
                 "Every other webhook is held back for two seconds, so that later ones come before it."),
        SimFault("partner-webhook-delay", "Late webhooks", "Each webhook is sent ten seconds late."),
        SimFault("partner-webhook-drop", "Webhooks lost", "No webhook is sent, and none is tried again."),
        SimFault("partner-webhook-forged", "Forged webhooks", "Webhooks are signed with another key."),
        SimFault("partner-webhook-snake", "The other spelling",
                 "What moved is `sub_type` among the attributes, in place of `subType` beside them."),
        # What not everybody has
        SimFault("partner-early-access", "Early access", "A chime and a flood sensor are among the devices."),
        SimFault("partner-no-subscriptions", "No subscriptions here",
                 "The list of subscriptions is answered 422, as in the Playground."),
    )
}  # fmt: skip

ALL_SWITCHES = {**SWITCHES, **PARTNER_SWITCHES}
