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
        cause="The token service does not know this pair of client id and secret, or does not allow the app this way "
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
        "LINK-TRIES",
        "Too many wrong codes",
        cause="Many authorization codes that Ring does not take have come from this address within a minute, so it has "
        "to wait. Each costs a call to Ring.",
        fix="Wait for as long as `Retry-After` says. If Ring itself sends them, look at why they are refused "
        "(`code_not_taken` in the log). Behind a proxy, name it in `server.trusted_proxies`.",
        retry=Retry.BACKOFF,
        http=429,
        source="partner-api.md#linking",
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
    Fault(
        "LINK-QUERY",
        "The link page was opened without its nonce",
        cause="The address of the link page lacks `nonce` or `time`, or they are not in their form.",
        fix="Open the page from Ring's app: it adds both. If it did, look whether something in between drops the "
        "query.",
        retry=Retry.AFTER_FIX,
        http=400,
        source="partner-api.md#linking",
    ),
    Fault(
        "LINK-STALE",
        "The nonce is too old, or from the future",
        cause="The `time` that came with the nonce is more than ten minutes ago, or ahead of this machine's clock.",
        fix="Tap Sign in again in Ring's app, which makes a new one. If it happens each time, set this machine's "
        "clock.",
        retry=Retry.AFTER_FIX,
        http=400,
        source="partner-api.md#linking",
    ),
    Fault(
        "LINK-NONCE",
        "The nonce fits no account that waits to be linked",
        cause="The nonce was used already, belongs to somebody else, was made with another HMAC key, or Ring has not "
        "given the app this account's tokens.",
        fix="Tap Sign in again in Ring's app. If it stays, compare the HMAC key with that of the developer console, "
        "and look whether Ring reached the Token Exchange URL.",
        retry=Retry.AFTER_FIX,
        http=400,
        source="partner-api.md#linking",
    ),
    Fault(
        "LINK-KEY",
        "The HMAC key was decoded",
        cause="The key is not the text in Base64 that Ring's developer portal shows. It looks decoded, so each nonce "
        "and each signature comes out wrong.",
        fix="Copy the key from the portal as it stands and use it as text, with its `=` at the end.",
        retry=Retry.AFTER_FIX,
        http=500,
        source="partner-api.md#linking",
    ),
    Fault(
        "LINK-DORMANT",
        "A link was never completed",
        cause="The link was confirmed with its nonce (POST), and the PATCH with `completed` never came. It stays "
        "dormant: calls may work, and no webhooks come.",
        fix="Send PATCH `completed` to `/v1/accounts/me/app-integrations`, by `ring.integrations.complete()`; the "
        "server of Ringlight does it by itself as soon as it runs.",
        retry=Retry.AFTER_FIX,
        http=409,
        source="partner-api.md#linking",
    ),
    Fault(
        "LINK-PERSON",
        "Name or password is wrong",
        cause="The app knows nobody with this name and this password.",
        fix="Try again, or have a new password sent to you by the app.",
        retry=Retry.AFTER_FIX,
        http=403,
        source="partner-api.md#linking",
    ),
    Fault(
        "LINK-STATE",
        "This answer belongs to no link that was begun here",
        cause="Ring sent the browser back, and this browser did not begin a link in the last ten minutes, or has used "
        "the answer already.",
        fix="Begin again in the app, in one and the same browser, with cookies allowed.",
        retry=Retry.AFTER_FIX,
        http=400,
        source="partner-api.md#linking",
    ),
    Fault(
        "LINK-DENIED",
        "The link was not allowed",
        cause="Ring sent the browser back with an error in place of a code: most often the person has declined.",
        fix="Begin again in the app and allow the access.",
        retry=Retry.AFTER_FIX,
        http=403,
        source="partner-api.md#linking",
    ),
    Fault(
        "LINK-CHECK-ADDRESS",
        "The app's address cannot be used by Ring",
        cause="Ring calls addresses with HTTPS only, and this one has none, or nothing answers there.",
        fix="Give the app a public HTTPS address, and enter exactly that one in Ring's developer console.",
        retry=Retry.AFTER_FIX,
        http=502,
        source="partner-api.md#linking",
    ),
    Fault(
        "LINK-CHECK-TOKEN",
        "The Token Exchange URL did not take a code",
        cause="A POST with a code in a form was not answered with 200, or not within ten seconds, or the code was not "
        "exchanged within its 60 seconds.",
        fix="Mount the router, or let the address take a form with `code`, exchange it at once and answer 200.",
        retry=Retry.AFTER_FIX,
        http=502,
        source="partner-api.md#linking",
    ),
    Fault(
        "LINK-CHECK-PAGE",
        "The Account Link URL shows no sign-in",
        cause="Opened with a fresh nonce, the page neither shows a form with a password nor a button to confirm, nor "
        "leads to a page that does.",
        fix="Show a sign-in to everybody who comes with a fresh nonce; claim nothing before it.",
        retry=Retry.AFTER_FIX,
        http=502,
        source="partner-api.md#linking",
    ),
    Fault(
        "LINK-CHECK-NONCE",
        "A nonce that is not good was taken",
        cause="The app takes a nonce that is more than ten minutes old, or one that nobody signed.",
        fix="Judge `time` before anything else, and compare the nonce with the HMAC of `time:account` of each account "
        "that waits.",
        retry=Retry.AFTER_FIX,
        http=502,
        source="partner-api.md#linking",
    ),
    Fault(
        "LINK-CHECK-CLAIM",
        "The link was not completed",
        cause="After the sign-in the app did not confirm the nonce (POST), or did not say that it is set up (PATCH "
        "`completed`). Such a link stays dormant, and no webhooks come.",
        fix="Send POST and then PATCH to `/v1/accounts/me/app-integrations` with the account's token.",
        retry=Retry.AFTER_FIX,
        http=502,
        source="partner-api.md#linking",
    ),
    Fault(
        "LINK-CHECK-HOME",
        "The App Homepage URL does not answer",
        cause="Ring's app opens this page to manage the app, and it answered with an error or not at all.",
        fix="Let the address show a page, also to somebody who has not signed in.",
        retry=Retry.AFTER_FIX,
        http=502,
        source="partner-api.md#linking",
    ),
)
