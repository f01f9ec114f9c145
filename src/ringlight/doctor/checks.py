"""Every check of the doctor by its name: what is looked at, what is expected, and which faults it can name. Pure.

The names are stable: pages of the docs and programs that read `--json` use them.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["CHECKS", "Area", "Check"]

Area = Literal["machine", "server", "address", "relay", "account", "camera", "partner", "browser"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: In the output, in `--json` and in the docs.
        area: Where it belongs.
        looks_at: What is looked at, as a question.
        expected: What is seen where all is well.
        codes: The faults of its own. A fault that Ring itself, or a library, names keeps its code beside these.
    """

    name: str
    area: Area
    looks_at: str
    expected: str
    codes: tuple[str, ...] = ()


_ROWS = (
    # This machine
    Check("settings", "machine", "Can the settings be read, and do they fit together?",
          "each is known and can be used", ("CFG-INVALID", "CFG-SECRETS-KEY")),
    Check("extras", "machine", "Are the packages installed that the settings call for?",
          "each can be imported", ("CFG-DEPENDENCY",)),
    Check("state", "machine", "Can the state directory be used?", "it can be read and written",
          ("CFG-STATE-DIR", "STORE-FULL")),
    Check("udp", "machine", "Do datagrams pass on this machine?", "one sent to itself arrives",
          ("MEDIA-UDP", "REACH-SANDBOX")),
    Check("segments", "machine", "Do many packets leave in one call?", "either; one call is cheaper"),
    # Our own server
    Check("key", "server", "Is there a secret key where other machines may connect?",
          "a key, or a server on loopback", ("CFG-SECRET-KEY",)),
    Check("port", "server", "Is the server's port free, or does a Ringlight server have it?",
          "free, or ours", ("CFG-PORT",)),
    Check("media-port", "server", "Is the viewers' port free?", "free, or ours", ("CFG-PORT",)),
    Check("database", "server", "Can the server's database be used, and what is kept be read?",
          "an answer within 5 s, and each secret opens by the key of the settings",
          ("STORE-UNREACHABLE", "STORE-CERTIFICATE", "STORE-FILE", "STORE-NEWER", "STORE-ADDRESS", "STORE-SEALED")),
    Check("redis", "server", "Does Redis answer, where one is set?", "an answer within 5 s",
          ("NODE-ALONE", "STORE-CERTIFICATE")),
    Check("broker", "server", "Does the home's MQTT broker let us in, where one is set?", "it does, within 5 s",
          ("MQTT-BROKER", "MQTT-LOGIN")),
    # An address: a server of ours, of somebody else's, or of Ring
    Check("address", "address", "Is the address whole?", "scheme, host, port; no `undefined`",
          ("REACH-URL",)),
    Check("page", "address", "May a page of this scheme use this address?",
          "a page by https uses wss: and https: only", ("REACH-MIXED",)),
    Check("room-address", "address", "Does the path name a room and a role?",
          "/ws/signaling/{room}/{doctor|patient}, or /ws/v2", ("ROOM-ID", "ROOM-PATH", "ROOM-ROLE")),
    Check("room-token", "address", "Is the room token in the address still good?",
          "a token whose time is not over", ("ROOM-TOKEN", "ROOM-TOKEN-EXPIRED")),
    Check("name", "address", "Is the host's name known?", "one address at least", ("NET-DNS", "SIG-REGION")),
    Check("connect", "address", "Does the port take connections?", "a connection within 3 s",
          ("REACH-REFUSED", "REACH-FIREWALL", "REACH-LOOPBACK", "REACH-SANDBOX", "NET-UNREACHABLE")),
    Check("tls", "address", "Can the server's certificate be trusted?",
          "for this name, in its time, by a known authority",
          ("REACH-CERT-NAME", "REACH-CERT-EXPIRED", "REACH-CERT-ISSUER", "REACH-SCHEME", "NET-TLS")),
    Check("answer", "address", "Does the server answer HTTP, and is it the one that is meant?",
          "an HTTP answer within 5 s",
          ("REACH-OTHER", "REACH-SCHEME", "AUTH-EDGE-BLOCK", "ORIGIN-REFUSED", "NET-TIMEOUT")),
    Check("clock", "address", "Do this machine's clock and the server's agree?",
          "less than a minute between them", ("REACH-CLOCK",)),
    Check("cors", "address", "May a page of this origin read the server's answers?",
          "Access-Control-Allow-Origin names the origin", ("REACH-CORS", "ORIGIN-REFUSED")),
    Check("upgrade", "address", "Does the connection become a WebSocket?", "HTTP 101",
          ("REACH-PROXY", "REACH-OTHER", "CFG-DEPENDENCY", "ROOM-PATH", "ROOM-ORIGIN", "KEY-NEEDED")),
    Check("open", "address", "Does the WebSocket stay open?", "no close in the first second",
          ("REACH-CUT", "REACH-CLOSED", "ROOM-ORIGIN")),
    # STUN and TURN
    Check("stun", "relay", "Does a STUN server answer over UDP?", "our address as it sees it",
          ("MEDIA-UDP",)),
    Check("nat", "relay", "Does the router keep one port for all destinations?",
          "one port for two servers, or a TURN server", ("REACH-NAT",)),
    Check("turn", "relay", "Does the TURN server lend an address for the name and password made for it, and does a "
          "packet come through it?", "an address within 3 s, and a packet through it and back",
          ("TURN-UNREACHABLE", "TURN-CREDENTIALS", "TURN-RELAY")),
    # The Ring account
    Check("token", "account", "Is somebody signed in, and is the sign-in still good?",
          "an access token, renewed if need be", ("AUTH-SIGNED-OUT", "AUTH-LINK-LOST")),
    Check("account-id", "account", "Does Ring name the account's id?", "an id; live view works without it",
          ("ACCOUNT-ID",)),
    Check("cameras", "account", "Can each camera be watched, by Ring's own list?",
          "each online and allowed", ("CAM-OFFLINE", "CAM-DISABLED", "CAM-PRIVACY", "CAM-VIDEO-OFF")),
    Check("websocket", "account", "Does a fresh ticket open Ring's signaling socket?",
          "the socket opens", ("SIG-TICKET", "SIG-BLOCKED", "SIG-UPGRADE", "SIG-REGION", "SIG-USER-AGENT")),
    # One camera, with a live view of it
    Check("messages", "camera", "Does each message that was sent keep to the protocol?",
          "each by the rules; the account's id in none",
          ("SIG-FORMAT", "SIG-DIALOG-ID", "SIG-DOORBOT-ID", "SIG-SESSION-ID", "SIG-SDP", "SIG-CANDIDATE",
           "SIG-METHOD", "SIG-ORDER", "SIG-NO-ACTIVATION", "SIG-PING", "ACCOUNT-ID")),
    Check("dialog", "camera", "Does Ring go along with the dialog?",
          "session, answer and camera, and no close", ("SIG-REJECTED", "SIG-NOT-READY", "SIG-TOKEN")),
    Check("video", "camera", "Does a whole picture come?", "a picture within 20 s, by UDP",
          ("MEDIA-UDP", "MEDIA-TCP", "MEDIA-SILENT", "SDP-DIRECTION", "SDP-PROFILE")),
    # The Partner API
    Check("partner-app", "partner", "Are the app's credentials set?", "client id and secret, or an access token",
          ("CFG-INVALID",)),
    Check("partner-key", "partner", "Is the HMAC key the text that the portal shows?",
          "the text in Base64, not decoded", ("LINK-KEY",)),
    Check("partner-token", "partner", "Is there an access token, and is it one?",
          "one, and not the refresh token", ("LINK-NONE", "LINK-LOST", "PARTNER-WRONG-TOKEN")),
    Check("partner-calls", "partner", "Does the Partner API answer a call?", "a list of devices",
          ("PARTNER-AUTH", "PARTNER-SCOPE", "PARTNER-RATE", "PARTNER-ANSWER")),
    Check("partner-limit", "partner", "Who else uses this app's limit of calls?",
          "half of the limit or more is left", ("PARTNER-RATE",)),
    Check("partner-devices", "partner", "Are devices shared with the app, and online?", "one at least, online",
          ("PARTNER-NO-DEVICES", "PARTNER-DEVICE-OFFLINE")),
    Check("partner-footage", "partner", "Can a picture of the last event be had?", "a picture, or no event yet",
          ("PARTNER-CONSENT", "PARTNER-FORBIDDEN", "PARTNER-NO-FOOTAGE", "PARTNER-CUT", "NET-TIMEOUT")),
    Check("partner-view", "partner", "Does the Partner API open a live view of the camera, and go along with it?",
          "an answer to the offer, and no end", ("PARTNER-DEVICE-OFFLINE", "PARTNER-VIEW-BUSY", "CAM-UNKNOWN")),
    Check("partner-link", "partner", "Is each link completed?", "no link that waits for its PATCH",
          ("LINK-DORMANT",)),
    Check("webhook", "partner", "Does the webhook receiver take a delivery in time?", "2xx within 5 s",
          ("HOOK-LATE", "HOOK-LOST", "HOOK-FAILING", "HOOK-REDIRECT")),
    # What a browser itself finds; run by the page
    Check("browser-webrtc", "browser", "Can this browser do WebRTC?", "it can", ("VIEWER-NO-WEBRTC",)),
    Check("browser-secure", "browser", "Does the page's address allow camera and microphone?",
          "https, or localhost", ("WEB-INSECURE",)),
    Check("browser-devices", "browser", "Does the browser find a camera and a microphone?", "one of each",
          ("WEB-NO-DEVICE",)),
    Check("browser-permission", "browser", "May the page use them?", "allowed, or not asked yet",
          ("WEB-DENIED",)),
    Check("browser-socket", "browser", "Does a WebSocket open from the browser?", "it opens",
          ("REACH-PROXY", "REACH-CUT", "ROOM-ORIGIN")),
    Check("browser-media", "browser", "Does the browser reach the media port?", "an ICE path to the server, by UDP",
          ("VIEWER-UDP", "VIEWER-TCP")),
    Check("browser-turn", "browser", "Does the browser get an address from the TURN server?",
          "a relayed address", ("TURN-UNREACHABLE", "TURN-CREDENTIALS")),
    Check("browser-bandwidth", "browser", "Is the line to the server quick enough for video?",
          "3 Mbit/s or more", ("WEB-SLOW",)),
)  # fmt: skip

CHECKS: dict[str, Check] = {row.name: row for row in _ROWS}
