"""Faults of the network: what keeps this machine from a host, whoever asks for it."""

from ringlight.faults.fault import Fault, Retry, Seen

ROWS = (
    Fault(
        "NET-DNS",
        "A host name could not be resolved",
        cause="This machine could not find the address of a host: its name is not known, or no DNS server answers.",
        fix="Check the internet connection and the DNS server; an ad blocker may block the name.",
        retry=Retry.BACKOFF,
        http=502,
        source="hosts",
    ),
    Fault(
        "NET-UNREACHABLE",
        "The host cannot be reached",
        cause="No connection could be made: refused, cut, or no route.",
        fix="Check the internet connection and the firewall; for the simulator, that it is running. "
        "`ringlight doctor network` names the step.",
        retry=Retry.BACKOFF,
        http=502,
        source="hosts",
    ),
    Fault(
        "NET-TLS",
        "The secure connection failed",
        cause="The TLS certificate was not accepted: it has expired or is for another name, or a wrong clock, a proxy "
        "in between or old root certificates make it seem so. The detail says which.",
        fix="Check this machine's date and time, then whether a company proxy inspects traffic; then set SSL_CERT_FILE "
        "to its authority. Renew a certificate of your own and let its program load it; all goes on by itself then. An "
        "authority of your own must have the key usage keyCertSign: Python insists on it since 3.13.",
        retry=Retry.AFTER_FIX,
        http=502,
        seen=(Seen("websocket", 1015),),
        source="hosts",
    ),
    Fault(
        "NET-TIMEOUT",
        "No answer in time",
        cause="Nothing came back from the host within the time allowed: it is overloaded, or something on the way "
        "swallows what is sent.",
        fix="Try again. If it stays, run `ringlight doctor network`.",
        retry=Retry.BACKOFF,
        http=504,
        source="hosts",
    ),
    Fault(
        "NET-POOL",
        "No connection was free",
        cause="This program has as many requests under way as it may have connections, and none ended in time.",
        fix="Ask fewer things at once, or allow more connections. The other side is not to blame.",
        retry=Retry.BACKOFF,
        http=503,
        source="hosts",
    ),
    Fault(
        "NET-INSIDE",
        "An answer leads into this network",
        cause="The address of a file, of a session or of a log-in service's keys, which another server has named, is "
        "one of this machine or of its own network. It was not asked: else a stranger could reach through us what is "
        "closed to him.",
        fix="If Ring or your media server is reached through a proxy or a private network, set its address in the "
        "settings (`ring_url`, `cameras.<id>.publish`): addresses named there are trusted. Else tell us what you saw.",
        retry=Retry.AFTER_FIX,
        http=502,
        source="hosts",
    ),
)
