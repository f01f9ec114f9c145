"""Faults of the way to our own server: what stands between a page or a program and it."""

from ringlight.faults.fault import Fault, Retry

ROWS = (
    Fault(
        "REACH-MIXED",
        "A secure page may not use an open socket",
        cause="The page came by https, and its server's address begins with ws: or http:. Browsers block that.",
        fix="Give the page an address that begins with wss: or https:, by a proxy with a certificate.",
        retry=Retry.AFTER_FIX,
        http=400,
    ),
    Fault(
        "REACH-PROXY",
        "Something in between drops WebSockets",
        cause="Plain requests reach the server, but the upgrade to a WebSocket does not come through: a proxy does not "
        "pass on the headers Upgrade and Connection.",
        fix="Let the proxy pass upgrades on (nginx: `proxy_http_version 1.1` and both headers), or go round it.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "REACH-LOOPBACK",
        "The server listens on its own machine only",
        cause="The server is bound to 127.0.0.1 or ::1, where other machines cannot reach it.",
        fix="Start it with `--host 0.0.0.0` and RINGLIGHT_SECRET_KEY set, or put a proxy before it.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "REACH-FIREWALL",
        "A firewall stops the connection",
        cause="The host is known, and nothing comes back from this port, or a firewall refuses in the server's place.",
        fix="Open the port in the server's firewall and in what stands before it; try from the server's own network.",
        retry=Retry.AFTER_FIX,
        http=504,
    ),
    Fault(
        "REACH-OTHER",
        "Another program answers there",
        cause="Something answers at this address, but it is no Ringlight server.",
        fix="Correct the address or the port; look which program has it with `ringlight doctor server`.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "REACH-URL",
        "The server's address is not one",
        cause="The address is empty, cannot be read, or holds a word such as `undefined` that a page writes when its "
        "variable has no value.",
        fix="Set the server's address in the page's settings (`NEXT_PUBLIC_BACKEND_URL=https://HOST`), and restart "
        "what serves the page after a change of `.env`.",
        retry=Retry.AFTER_FIX,
        http=400,
    ),
    Fault(
        "REACH-OFFLINE",
        "This device is offline",
        cause="The browser says that it has no network just now.",
        fix="Switch Wi-Fi or mobile data on, or move closer to the router; the page comes back by itself.",
        retry=Retry.NOW,
        http=503,
    ),
    Fault(
        "REACH-PORT",
        "No server listens at this address",
        cause="The connection was refused at once: no program has this port, or its certificate is not trusted, which "
        "looks the same to a page.",
        fix="Start the server, and compare host and port with its `ready` line; for `wss:` open the address in a tab "
        "once, where the browser says what it thinks of the certificate.",
        retry=Retry.BACKOFF,
        http=502,
    ),
    Fault(
        "REACH-SELF",
        "The address is the visitor's own machine",
        cause="The page came from another machine, and its server's address is localhost: that is the device of "
        "whoever looks at the page.",
        fix="Put the server's name or network address in the place of localhost (`NEXT_PUBLIC_BACKEND_URL`).",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "REACH-CORS",
        "The server lets this page read nothing",
        cause="Something answers at this address and does not name this page's origin among those that may read its "
        "answers (CORS): a server that does not know the origin, or another program.",
        fix="Add the page's origin, with scheme and port, to RINGLIGHT_ALLOWED_ORIGINS; if it is there, compare host "
        "and port with the server's `ready` line.",
        retry=Retry.AFTER_FIX,
        http=403,
    ),
    Fault(
        "REACH-POLICY",
        "The page forbids itself this connection",
        cause="The Content-Security-Policy that came with the page does not allow connections to this server.",
        fix="Add the server, with `wss:` or `ws:`, to `connect-src` of that policy.",
        retry=Retry.AFTER_FIX,
        http=403,
    ),
    Fault(
        "REACH-DROPPED",
        "The connection broke off",
        cause="The connection to the server was open and ended without a word (1006): the network was gone for a "
        "moment, the device slept, or something in between closes what is quiet.",
        fix="Wait: the page connects again, and what was missed is sent again. If it happens each minute, raise the "
        "idle time limit of the proxy.",
        retry=Retry.NOW,
        http=502,
    ),
    Fault(
        "REACH-CLOSED",
        "The connection was closed",
        cause="The connection was ended in an orderly way. The close code is in the detail: 1000 says that "
        "somebody left, came in elsewhere, or has no use for it; 1008 that a rule forbids it; 1011 that the server "
        "failed.",
        fix="Enter again if it was not you. If it happens as soon as it is open, read the server's log at this moment.",
        retry=Retry.AFTER_FIX,
        http=410,
    ),
    Fault(
        "REACH-CLOCK",
        "A clock is wrong",
        cause="This machine's clock and the server's differ by more than tokens, certificates and signatures allow.",
        fix="Set the clock by the network (`timedatectl set-ntp true`), then try again.",
        retry=Retry.AFTER_FIX,
        http=500,
    ),
    Fault(
        "TURN-UNREACHABLE",
        "The TURN server does not answer",
        cause="The TURN server of the settings gave no answer, so calls across strict networks get no path.",
        fix="Start coturn, open its port (3478, 5349) and its relay ports, and check RINGLIGHT_TURN_URL.",
        retry=Retry.AFTER_FIX,
        http=504,
    ),
    Fault(
        "TURN-RELAY",
        "The TURN server lends addresses that lead nowhere",
        cause="The TURN server lends an address, and no packet comes through it: a firewall closes its relay ports, or "
        "it lends an address that others cannot reach.",
        fix="Open UDP 49152 to 65535 to the TURN server (`min-port` and `max-port` of coturn). Behind NAT set "
        "`external-ip` to the address that others see.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "TURN-CREDENTIALS",
        "The TURN server refuses the credentials",
        cause="The TURN server answers, and does not take the name and password made for it: another secret, or a "
        "clock that differs.",
        fix="Set `use-auth-secret` in coturn, with `static-auth-secret` the same as RINGLIGHT_TURN_SECRET; check both "
        "clocks.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "REACH-REFUSED",
        "Nothing listens on this port",
        cause="The machine is there and refuses the connection: no program listens on this port.",
        fix="Start the server, for Ringlight with `ringlight serve`, and compare the port in the address with the one "
        "that it listens on.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "REACH-SCHEME",
        "One side speaks TLS and the other does not",
        cause="The address says http: or ws: and the server wants TLS, or it says https: or wss: and the server "
        "speaks without.",
        fix="Change the scheme of the address: https: and wss: with TLS, http: and ws: without.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "REACH-CERT-NAME",
        "The certificate is for another name",
        cause="The server's certificate does not hold the name of the address, so browsers and programs refuse it.",
        fix="Use a name that the certificate holds, or get one for this name. An IP address needs one of its own.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "REACH-CERT-EXPIRED",
        "The certificate has expired",
        cause="The time of the server's certificate is over, or has not begun.",
        fix="Renew the certificate and let the server or proxy load it; then see why it was not renewed by itself.",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "REACH-CERT-ISSUER",
        "The certificate is signed by nobody who is known",
        cause="The server's certificate is self-signed, its chain is cut, or a company's proxy has put its own in its "
        "place.",
        fix="Get a certificate of a public authority, send the chain with it, or trust the company's authority on "
        "this machine (SSL_CERT_FILE).",
        retry=Retry.AFTER_FIX,
        http=502,
    ),
    Fault(
        "REACH-CUT",
        "The WebSocket is cut as soon as it is open",
        cause="The connection became a WebSocket and then broke without a close frame (1006): a proxy cut it, or the "
        "server's program died.",
        fix="Read the server's log at this moment; then the log and time limits of each proxy on the way.",
        retry=Retry.BACKOFF,
        http=502,
    ),
    Fault(
        "REACH-SANDBOX",
        "This program may not open sockets",
        cause="The system itself forbids this program the network: a container, a sandbox, or a local firewall.",
        fix="Allow the program the network, or run it outside of the sandbox.",
        retry=Retry.AFTER_FIX,
        http=500,
    ),
    Fault(
        "REACH-NAT",
        "The router gives each destination another port",
        cause="Two STUN servers see this machine under different ports (a symmetric NAT). Another browser cannot "
        "guess the port, and no TURN server is set that would help.",
        fix="Set RINGLIGHT_TURN_URL and RINGLIGHT_TURN_SECRET to a coturn that both sides reach.",
        retry=Retry.AFTER_FIX,
        http=504,
    ),
    Fault(
        "VIEWER-TCP",
        "The browser gets media over TCP only",
        cause="UDP does not come through between this browser and the Ringlight server. Video goes over TCP, where a "
        "packet that is lost holds up those behind it.",
        fix="Nothing, if the picture is good. Allow UDP to RINGLIGHT_MEDIA__PORT for less delay.",
        retry=Retry.NEVER,
        http=504,
    ),
)
