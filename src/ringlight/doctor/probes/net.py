"""The way to a server, a step at a time: name, connection, TLS, a plain answer, the time, a WebSocket."""

import asyncio
import errno
import logging
import socket
import ssl
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from websockets.asyncio.client import ClientConnection, connect
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from ringlight.doctor.evidence import Address, Answered, Dialed, Named, Outcome, Secured, Upgraded
from ringlight.doctor.probes.owners import is_own_address, listeners
from ringlight.errors import RingError, fault_error
from ringlight.faults import FAULTS
from ringlight.http.address import is_loopback_host
from ringlight.http.border import USER_AGENT
from ringlight.http.driver import AsyncDriver
from ringlight.http.flow import NotJson, Request, Response
from ringlight.http.names import look_up as look_up_name
from ringlight.resilience.retry_after import http_date
from ringlight.secrets import Secret

LOOK_UP_WAIT = 4.0  # seconds
CONNECT_WAIT = 3.0  # seconds
ANSWER_WAIT = 5.0  # seconds
OPEN_FOR = 1.0  # seconds that a WebSocket is listened to
MAX_HEAD = 16 * 1024  # bytes of an answer's head
MOST_ADDRESSES = 4
_BEST_FIRST: tuple[Outcome, ...] = ("open", "refused", "forbidden", "swallowed")
_NOT_TRUSTED: dict[int, Literal["name", "expired"]] = {  # X509_V_ERR_… of OpenSSL
    9: "expired", 10: "expired", 62: "name", 64: "name",
}  # fmt: skip

# The library logs each header at DEBUG, and an address may hold a token.
_quiet = logging.getLogger("ringlight.doctor.websocket")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


def proxy_of(address: Address) -> str | None:
    """Return `host:port` of the proxy that the environment names for an address; `None` goes straight."""
    if is_loopback_host(address.host) or urllib.request.proxy_bypass(address.host):
        return None
    found = urllib.request.getproxies().get("https" if address.is_secure else "http", "")
    return found.rpartition("//")[2].rpartition("@")[2].rstrip("/") or None


async def look_up(host: str, port: int, family: int = 0) -> Named:
    """Look a name up, as every program of this machine does; `family` leaves out the addresses of others."""
    try:
        found = await look_up_name(host, port, family=family, type=socket.SOCK_STREAM, wait=LOOK_UP_WAIT)
    except socket.gaierror as error:
        return Named(host, answered=error.errno != socket.EAI_AGAIN)
    except UnicodeError:
        return Named(host)
    return Named(host, tuple(dict.fromkeys(str(row[4][0]) for row in found)))


async def dial(host: str, addresses: Sequence[str], port: int) -> Dialed:
    """Try a TCP connection to the addresses of a host, all at once; one that opens is enough."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    tried = tuple(addresses[:MOST_ADDRESSES])
    outcomes = await asyncio.gather(*(_dial_one(address, port) for address in tried))
    seconds = loop.time() - began
    outcome: Outcome = next((known for known in _BEST_FIRST if known in outcomes), "no-route")
    if outcome == "open":
        return Dialed("open", seconds, tried=tried)
    ours = await asyncio.to_thread(is_own_address, host)
    found = await asyncio.to_thread(listeners, port) if ours else None
    return Dialed(outcome, seconds, ours, found, tried)


async def _dial_one(address: str, port: int) -> Outcome:
    try:
        async with asyncio.timeout(CONNECT_WAIT):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        return "swallowed"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            return "forbidden"
        return "swallowed" if error.errno == errno.ETIMEDOUT else "no-route"
    writer.close()
    return "open"


async def secure(address: Address) -> Secured:
    """Try a TLS handshake with every check; where one fails, look at the certificate without them."""
    context = await asyncio.to_thread(ssl.create_default_context)
    try:
        shown = await _handshake(address, context)
    except ssl.SSLCertVerificationError as error:
        wrong: Literal["name", "expired", "issuer"] = _NOT_TRUSTED.get(error.verify_code, "issuer")
        return await _untrusted(address, wrong, error.verify_message)
    except ssl.SSLError as error:
        plain = error.reason in (
            "WRONG_VERSION_NUMBER",
            "HTTP_REQUEST",
            "PACKET_LENGTH_TOO_LONG",
            "RECORD_LAYER_FAILURE",
        )
        return Secured("plain" if plain else "failed", why=(error.reason or str(error)).replace("_", " ").lower())
    except (OSError, TimeoutError) as error:
        return Secured("failed", why=f"the handshake broke off: {error or 'no answer'}")
    return _read_certificate("trusted", shown)


async def _untrusted(address: Address, outcome: Literal["name", "expired", "issuer"], why: str) -> Secured:
    try:
        shown = await _handshake(address, trusting_nobody())
    except (OSError, TimeoutError):
        return Secured(outcome, why=why)
    return _read_certificate(outcome, shown, why)


def trusting_nobody() -> ssl.SSLContext:
    """Return a context that checks nothing: only to look at a certificate or at a clock, never to send a secret."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _handshake(address: Address, context: ssl.SSLContext) -> bytes:
    async with asyncio.timeout(CONNECT_WAIT):
        reader, writer = await asyncio.open_connection(
            address.host, address.port, ssl=context, server_hostname=address.host
        )
    del reader
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
    writer.transport.abort()
    return shown


# What the library raises for a certificate that is none; they have no class in common.
_UNREADABLE = (
    ValueError, TypeError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)  # fmt: skip


def _read_certificate(outcome: Literal["trusted", "name", "expired", "issuer"], shown: bytes, why: str = "") -> Secured:
    try:
        found = x509.load_der_x509_certificate(shown)
        since, until = found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()
        issuer = "itself" if found.issuer == found.subject else found.issuer.rfc4514_string()[:80]
    except _UNREADABLE:
        return Secured(outcome, why=why)
    try:
        held = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(map(str, (*held.get_values_for_type(x509.DNSName), *held.get_values_for_type(x509.IPAddress))))
    except (x509.ExtensionNotFound, *_UNREADABLE):
        names = ()
    return Secured(outcome, names, since, until, issuer, why)


async def ask(
    address: Address, path: str = "/api/about", *, origin: str | None = None, key: Secret | None = None,
    within: float = ANSWER_WAIT,
) -> Answered:  # fmt: skip
    """Send a plain request to the server of an address."""
    headers: dict[str, str | Secret] = {"Origin": origin} if origin else {}
    request = Request("GET", f"{address.origin}{path}", headers, bearer=key, limit=1 << 20, timeout=within)
    try:
        async with AsyncDriver(timeout=within, near=address.origin) as driver:
            answer = await driver.send(request)
    except RingError as error:
        # A server that wants TLS says so at once, or hangs up.
        tls = error.code != "NET-TIMEOUT" and not address.is_secure and await speaks_tls(address)
        return Answered(None, error=error if error.code != "ACCOUNT-ANSWER" else None, speaks_tls=tls)
    return read_answer(answer)


def read_answer(answer: Response) -> Answered:
    """Read what any server has answered."""
    code = _code_in(answer)
    told = b'"Ringlight"' in answer.body[:300] or code in ("KEY-NEEDED", "ORIGIN-REFUSED")
    return Answered(
        answer.status, answer.headers.get("content-type", ""), answer.headers.get("server", "")[:40], code, told,
        answer.headers.get("access-control-allow-origin", ""),
    )  # fmt: skip


async def speaks_tls(address: Address) -> bool:
    """Whether a handshake with whoever listens at an address comes to its end; certificates are not judged."""
    try:
        await _handshake(address, trusting_nobody())
    except (OSError, TimeoutError):
        return False
    return True


def _code_in(answer: Response) -> str:
    try:
        body = answer.json()
    except NotJson:
        return ""
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, str) and code in FAULTS else ""


async def clock_of(address: Address, now: Callable[[], float]) -> tuple[float | None, float]:
    """Ask for the server's time by an answer's `Date`, and return it with ours of that moment.

    The certificate is not judged: a clock that is wrong is often why it is refused. Nothing secret is sent.
    """
    context = await asyncio.to_thread(trusting_nobody) if address.is_secure else None
    asked = f"HEAD / HTTP/1.1\r\nHost: {address.netloc}\r\nUser-Agent: {USER_AGENT}\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(ANSWER_WAIT):
            name = address.host if context is not None else None
            reader, writer = await asyncio.open_connection(
                address.host, address.port, ssl=context, server_hostname=name
            )
            try:
                writer.write(asked.encode())
                head = await _head(reader)
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError, UnicodeError):
        return None, now()
    return read_date(head), now()


def read_date(head: str) -> float | None:
    """Return the time that a head of an answer names, in seconds since 1970."""
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().casefold() == "date":
            return http_date(value.strip())
    return None


async def _head(reader: asyncio.StreamReader) -> str:
    head = b""
    while b"\r\n\r\n" not in head and len(head) < MAX_HEAD:
        piece = await reader.read(4096)
        if not piece:
            break
        head += piece
    return head.partition(b"\r\n\r\n")[0].decode("latin-1")


async def upgrade(address: Address, path: str, *, origin: str | None = None) -> Upgraded:
    """Open a WebSocket and listen for a moment; where it is refused for an Origin, see whether it is without."""
    opened = await _upgrade(address, path, origin)
    if origin is None or opened.status in (None, 101):
        return opened
    other = await _upgrade(address, path, None)
    return Upgraded(opened.status, opened.server, opened.via, without_origin=other.status)


async def _upgrade(address: Address, path: str, origin: str | None) -> Upgraded:
    url = f"{'wss' if address.is_secure else 'ws'}://{address.netloc}{path}"
    options: dict[str, Any] = {} if origin is None else {"origin": origin}
    try:
        web = await connect(
            url, open_timeout=ANSWER_WAIT, close_timeout=0.5, ping_interval=None, user_agent_header=USER_AGENT,
            proxy=None if is_loopback_host(address.host) else True, logger=_quiet, **options,
        )  # fmt: skip
    except InvalidStatus as error:
        return _refused(error.response.status_code, error.response.headers)
    except TimeoutError:
        return Upgraded(None, error=fault_error("NET-TIMEOUT", f"no upgrade within {ANSWER_WAIT:g} s"))
    except (WebSocketException, EOFError, ImportError) as error:
        cut = isinstance(error, EOFError) or isinstance(error.__cause__, EOFError)
        said = "the connection was cut" if cut else f"the answer is none to an upgrade ({error.__cause__ or error})"
        return Upgraded(None, error=fault_error("REACH-PROXY" if cut else "REACH-OTHER", said[:120]))
    except OSError as error:
        return Upgraded(None, error=fault_error("NET-UNREACHABLE", error.strerror or str(error)))
    return await _listen(web)


def _refused(status: int, headers: Headers) -> Upgraded:
    def told(name: str) -> str:
        return (headers.get_all(name) or [""])[0][:60]

    server = told("server")
    # Those two put their own name in front; they are also the ones that drop an upgrade unless they are told not to.
    via = told("via") or (server if server.casefold().startswith(("nginx", "apache", "openresty")) else "")
    return Upgraded(status, server, via)


async def _listen(web: ClientConnection) -> Upgraded:
    heard = ""
    try:
        async with asyncio.timeout(OPEN_FOR):
            while True:
                frame = await web.recv()
                heard = heard or _named_in(frame)
    except TimeoutError:
        await web.close()
        return Upgraded(101, heard=heard)
    except ConnectionClosed:
        return Upgraded(101, close_code=web.close_code or 1006, close_reason=web.close_reason or "", heard=heard)


def _named_in(frame: str | bytes) -> str:
    text = frame if isinstance(frame, str) else frame.decode(errors="replace")
    return next((word for word in text[:2000].split('"') if word in FAULTS), "")
