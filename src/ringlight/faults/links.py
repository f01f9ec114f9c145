"""Faults of the links between a Ring app and its users' accounts: the tokens of the Partner API."""

from ringlight.faults.fault import Fault, Retry

ROWS = (
    Fault(
        "LINK-LOST",
        "The link to this Ring account is lost",
        cause="Ring refused the refresh token with `invalid_grant`, and the store has no newer one: the user removed "
        "the app, the token was not used for about 30 days, or another program has renewed it without "
        "this store.",
        fix="Ask the user to remove the app in Ring (My Apps) and to add it again; nothing else brings a link back. "
        "Give every program that uses the account the same token store.",
        retry=Retry.AFTER_FIX,
        http=401,
        source="partner-api.md#tokens",
    ),
    Fault(
        "LINK-UNAVAILABLE",
        "Ring gives no tokens just now",
        cause="The token service could not be reached or answered with an error that says nothing about the link. "
        "The link is kept; the access token works on until it expires.",
        fix="Wait: it is tried again by itself. If it lasts, look at Ring's status page and at what stands between "
        "this machine and oauth.ring.com.",
        retry=Retry.BACKOFF,
        http=502,
        source="partner-api.md#tokens",
    ),
    Fault(
        "LINK-ANSWER",
        "The token service's answer could not be read",
        cause="Instead of tokens came something else, such as a web page that a proxy or a hotel network puts in "
        "between. It says nothing about the link, which is kept.",
        fix="Open any web page from this machine to see whether the network wants a log-in of its own. "
        "Otherwise wait: it is tried again by itself.",
        retry=Retry.BACKOFF,
        http=502,
        source="partner-api.md#tokens",
    ),
    Fault(
        "LINK-REFUSED",
        "Ring refused the app's request for tokens",
        cause="The token service knows neither this pair of client id and secret, or does not allow the app this way "
        "of asking. The links of the users are kept.",
        fix="Compare client id and client secret with those in Ring's developer console.",
        retry=Retry.AFTER_FIX,
        http=502,
        source="partner-api.md#tokens",
    ),
    Fault(
        "LINK-CODE-EXPIRED",
        "The authorization code is no longer good",
        cause="Ring refused the authorization code: it works once, for 60 seconds where Ring began the linking and "
        "for ten minutes where the app did, and only with the code verifier that belongs to it.",
        fix="Exchange the code as soon as it arrives. The user can begin again in Ring's app.",
        retry=Retry.AFTER_FIX,
        http=400,
        source="partner-api.md#tokens",
    ),
    Fault(
        "LINK-NONE",
        "This account is not linked",
        cause="The token store has no tokens for this account.",
        fix="Link the account first, or look whether this is the store in which its tokens were kept.",
        retry=Retry.AFTER_FIX,
        http=401,
        source="partner-api.md#tokens",
    ),
)
