"""Faults of logging in through another service: OpenID Connect."""

from ringlight.faults.fault import Fault, Retry

ROWS = (
    Fault(
        "OIDC-UNREACHABLE",
        "The service for logging in does not answer",
        cause="The OpenID provider of the settings could not be reached, or answered with an error of its own.",
        fix="Open `oidc.issuer` with `/.well-known/openid-configuration` behind it from this machine. Until it "
        "answers, log in with a key.",
        retry=Retry.BACKOFF,
        http=502,
    ),
    Fault(
        "OIDC-ANSWER",
        "The service for logging in says what cannot be used",
        cause="What came is not what OpenID Connect asks for: another issuer than the settings name, an address "
        "without https, a page instead of JSON.",
        fix="Copy `oidc.issuer` from the `issuer` of the provider's `/.well-known/openid-configuration`, to the "
        "letter; a slash at its end counts.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "OIDC-REFUSED",
        "The service did not let you in",
        cause="The provider sent the browser back with an error: the log-in was cancelled there, or this account may "
        "not use this application.",
        fix="Try again, or ask whoever runs the provider to allow your account for this application.",
        retry=Retry.AFTER_FIX,
        http=403,
    ),
    Fault(
        "OIDC-REDIRECT",
        "The provider does not know the way back",
        cause="The address to which the provider is to send the browser back is not among those that it has for this "
        "application.",
        fix="Register the address that the server names in its log at the start (`oidc: redirect address`), and set "
        "RINGLIGHT_PUBLIC_URL to the address that browsers use.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "OIDC-CLIENT",
        "The provider does not know this server",
        cause="The provider refused the client id or the client secret.",
        fix="Compare `oidc.client_id` and `oidc.client_secret` with those at the provider; a secret may have ended.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "OIDC-STATE",
        "This log-in was not begun here",
        cause="The browser came back from the provider with a log-in that it has not begun, that took longer than ten "
        "minutes, or that was used already.",
        fix="Begin again at /login, in one window, with cookies allowed, and by the same address.",
        retry=Retry.NOW,
        http=400,
    ),
    Fault(
        "OIDC-TOKEN",
        "The provider's proof is not for this log-in",
        cause="The ID token is not signed as it must be, or is of another issuer, for another application, or of "
        "another log-in (nonce).",
        fix="Begin again at /login. If it stays, compare `oidc.client_id`, and look for what stands between this "
        "server and the provider.",
        retry=Retry.AFTER_FIX,
        http=403,
    ),
    Fault(
        "OIDC-KEY",
        "The provider signs with a key that it does not publish",
        cause="The ID token names a key that is not in the provider's key set, also after that was fetched anew.",
        fix="Wait a minute if the provider has just changed its keys; otherwise look whether `jwks_uri` of its "
        "configuration is the right one.",
        retry=Retry.BACKOFF,
        http=502,
    ),
    Fault(
        "OIDC-CLOCK",
        "The clocks do not agree",
        cause="The ID token is over already, or from the future, by more than a minute: the clock of this machine or "
        "of the provider is wrong.",
        fix="Let both set their clocks by NTP (`timedatectl` shows whether this machine does).",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "OIDC-GROUP",
        "Your account is not for this server",
        cause="The provider knows you, and no value of the claim that decides here is among those that the settings "
        "allow.",
        fix="Ask whoever runs this server to add one of your groups to `oidc.scopes`, or to set `oidc.claim` to the "
        "claim that has them.",
        retry=Retry.AFTER_FIX,
        http=403,
    ),
)
