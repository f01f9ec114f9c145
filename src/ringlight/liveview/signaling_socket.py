"""Opening the WebSocket of the signaling; every way in which that fails is a fault, and no log shows the ticket."""

import asyncio
import logging
import re
import socket
import ssl
from functools import cache
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from ringlight.errors import fault_error
from ringlight.faults import find
from ringlight.http.address import is_loopback_host
from ringlight.liveview import messages
from ringlight.resilience.retry_after import retry_after
from ringlight.secrets import Secret

__all__ = ["open_socket"]

USER_AGENT = "android:com.ringapp"  # any will do, but Ring closes a socket without one at once
GLOBAL_HOST = "api.prod.signalling.ring.devices.a2z.com"

_log = logging.getLogger("ringlight.websocket")


def _redact_record(record: logging.LogRecord) -> bool:
    """Take the ticket and the content of frames out of what the WebSocket library logs at DEBUG."""
    text = re.sub(r"(token=)[^&\s]+", r"\1(redacted)", record.getMessage())
    record.msg, record.args = re.sub(r"([<>] (?:TEXT|CONT|BINARY)).*", r"\1 (not shown)", text), ()
    return True


_log.addFilter(_redact_record)


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


async def open_socket(url: Secret, seconds: float) -> ClientConnection:
    """Open the signaling WebSocket; every way in which that fails becomes a fault of its own.

    Args:
        url: With the ticket in it.
        seconds: The time allowed for connection and upgrade.

    Raises:
        RingError: NET-DNS, NET-UNREACHABLE, NET-TLS, SIG-REGION, SIG-BLOCKED, SIG-TICKET, SIG-UPGRADE …
    """
    host = urlsplit(url.reveal()).hostname or ""
    local = is_loopback_host(host)
    try:
        return await connect(
            url.reveal(),
            user_agent_header=USER_AGENT,
            open_timeout=seconds,
            close_timeout=1.0,
            ping_interval=None,  # the protocol has a ping of its own
            max_size=messages.MAX_BYTES * 2,
            proxy=None if local else True,
            logger=_log,
            # Reading the authorities of the system takes long enough to make an event loop stutter.
            ssl=await asyncio.to_thread(_trusted) if url.reveal().startswith("wss:") else None,
        )
    except InvalidStatus as error:
        status, wait = error.response.status_code, retry_after(error.response.headers)
        code = find("upgrade", status) or "SIG-UPGRADE"
        raise fault_error(code, f"HTTP {status} at the upgrade", retry_after=wait) from None
    except (socket.gaierror, UnicodeError):  # UnicodeError: a label that is empty or too long
        code = "NET-DNS" if host == GLOBAL_HOST else "SIG-REGION"
        raise fault_error(code, f"the name {host} is not known") from None
    except ssl.SSLError as error:
        raise fault_error("NET-TLS", f"{host}: {error.reason}") from None
    except TimeoutError:
        raise fault_error("SIG-BLOCKED", f"no upgrade within {seconds:g} s") from None
    except OSError as error:
        raise fault_error("NET-UNREACHABLE", f"{host}: {error.strerror or error}") from None
    except ImportError:
        detail = "the environment names a SOCKS proxy; for that, install the package python-socks"
        raise fault_error("SIG-BLOCKED", detail) from None
    except (WebSocketException, EOFError) as error:
        raise fault_error("SIG-BLOCKED", f"{host}: {type(error).__name__}") from None
