"""What people paste when something fails, and the code that must come first; and what nobody could know."""

EXPLAINED = {
    # codes and numbers
    "SIG-TICKET": "SIG-TICKET",
    " sig-ticket\n": "SIG-TICKET",
    "26": "SIG-NOT-READY",
    "reason 26": "SIG-NOT-READY",
    "code 26: not ready yet": "SIG-NOT-READY",
    "close 0": "SIG-CLOSED",
    "close 5": "SIG-AUTH",
    "close 5 Sessions with the provided ID not found": "SIG-SESSION-LOST",
    "close 6": "SIG-PING",
    "close reason 10": "SIG-TIME-LIMIT",
    "close 99": "SIG-CLOSE-OTHER",
    "4002": "SIG-REJECTED",
    "what is 4002?": "SIG-REJECTED",
    "received 4002 (private use); then sent 4002 (private use)": "SIG-REJECTED",
    "websocket closed with 4002: doorbot_id must be an integer": "SIG-DOORBOT-ID",
    "close code 4002, reason: live_view out of order: once per dialog_id": "SIG-ORDER",
    "1000": "SIG-ENDED",
    "websocket close code 1001": "SIG-ENDED",
    "1006": "SIG-DROPPED",
    "Closed: 1006": "SIG-DROPPED",
    "1009": "ROOM-SIZE",
    "1011": "SERVER-ERROR",
    "1012": "ROOM-BUSY",
    "1015": "NET-TLS",
    "4409 ROOM-REPLACED": "ROOM-REPLACED",
    "4410": "ROOM-ENDED",
    "4413": "ROOM-FULL",
    "4429": "ROOM-RATE",
    "websocket closed 4408": "ROOM-HELLO",
    "404 upgrade": "SIG-TICKET",
    "429 partner": "PARTNER-RATE",
    "429 upgrade": "RING-RATE",
    "ticket 403": "TICKET-REFUSED",
    "oauth token 412": "AUTH-CODE-NEEDED",
    "HTTP 401 partner": "PARTNER-AUTH",
    "403 partner": "PARTNER-FORBIDDEN",
    "partner 503": "PARTNER-UNAVAILABLE",
    "406 Not Acceptable": "AUTH-EDGE-BLOCK",
    "api.amazonvision.com answered 425": "PARTNER-NOT-READY",
    # what Ring says
    '{"error":"invalid_grant","error_description":"token is invalid"}': "AUTH-LINK-LOST",
    "Verification Code is invalid or expired": "AUTH-CODE-WRONG",
    "too many requests from dependency service": "AUTH-CODE-LIMIT",
    '{"reason": {"code": 10, "text": "answered_timeout"}}': "SIG-TIME-LIMIT",
    '{"method":"close","body":{"reason":{"code":26,"text":""}}}': "SIG-NOT-READY",
    "{ reason: { code: 6, text: 'Timeout waiting for ping' } }": "SIG-PING",
    "session-manager.cc:88 Unauthorized: invalid or expired token": "SIG-TOKEN",
    '{"errors": [{"status": "416", "code": "TIMESTAMP_NOT_FOUND"}]}': "PARTNER-NO-FOOTAGE",
    '{"errors":[{"status":"503","title":"Device Unavailable"}]}': "PARTNER-DEVICE-OFFLINE",
    "403 TIME_RANGE_NOT_AUTHORIZED": "PARTNER-CONSENT",
    "Invalid Client": "PARTNER-AUTH",
    "Out of Scope Access": "PARTNER-SCOPE",
    "AUTH-SIGNED-OUT: There are no stored tokens": "AUTH-SIGNED-OUT",
    "HTTP error with status code 403 during query of url https://api.ring.com/clients_api/doorbots/1/live_view": "RING-"
    "OLD-ENDPOINT",
    "POST https://api.ring.com/clients_api/doorbots/1/vod returned HTTP 412": "RING-OLD-ENDPOINT",
    "POST https://app.ring.com/api/v1/clap/ticket/request/signalsocket returned HTTP 403": "TICKET-REFUSED",
    "HTTP error with status code 403 during query of url https://api.ring.com/clients_api/ring_devices": "ACCOUNT-"
    "FORBIDDEN",
    "RingError SIG-NOT-READY: The camera is asleep": "SIG-NOT-READY",
    # Python and its libraries
    "server rejected WebSocket connection: HTTP 404": "SIG-TICKET",
    "websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 426": "REACH-PROXY",
    "websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 404": "SIG-TICKET",
    "server rejected WebSocket connection: HTTP 403": "SIG-UPGRADE",
    "ConnectionClosedError: websocket 1006 abnormal closure": "SIG-DROPPED",
    "websockets.exceptions.ConnectionClosedError: no close frame received or sent": "SIG-DROPPED",
    "sent 1011 (internal error) keepalive ping timeout; no close frame received": "SIG-DROPPED",
    "websockets.exceptions.ConnectionClosedError: received 1009 (message too big) frame too long": "ROOM-SIZE",
    "websockets.exceptions.InvalidMessage: did not receive a valid HTTP response": "REACH-OTHER",
    "websockets.exceptions.InvalidUpgrade: missing Upgrade header": "REACH-PROXY",
    "TimeoutError: timed out during opening handshake": "SIG-BLOCKED",
    "websockets.exceptions.InvalidURI: undefined/ws/signaling/1/doctor isn't a valid URI: scheme isn't ws or wss":
        "REACH-URL",
    "aiohttp.client_exceptions.WSServerHandshakeError: 404, message='Invalid response status', "
    "url='wss://api.prod.signalling.ring.devices.a2z.com/ws', HTTP 404 websocket": "SIG-TICKET",
    "aiohttp.client_exceptions.ClientConnectorError: Cannot connect to host localhost:8000 ssl:default "
    "[Connect call failed ('127.0.0.1', 8000)]": "REACH-REFUSED",
    "aiohttp.client_exceptions.ClientConnectorError: Cannot connect to host oauth.ring.com:443 ssl:default "
    "[Connect call failed ('198.51.100.7', 443)]": "NET-UNREACHABLE",
    "aiohttp.ClientConnectorDNSError: Cannot connect to host api.ring.com:443 [Name or service not known]": "NET-DNS",
    "ClientConnectorCertificateError: Cannot connect to host api.ring.com:443 ssl:True "
    "[SSLCertVerificationError: verify failed: unable to get local issuer certificate]": "NET-TLS",
    "aiohttp.client_exceptions.ServerDisconnectedError: Server disconnected": "NET-UNREACHABLE",
    "aiohttp.ContentTypeError: 406, message='Attempt to decode JSON with unexpected mimetype: text/html', "
    "url='https://oauth.ring.com/oauth/token'": "AUTH-ANSWER",
    "httpx.ConnectError: [Errno -3] Temporary failure in name resolution": "NET-DNS",
    "httpx.ConnectError: All connection attempts failed": "REACH-REFUSED",
    "httpx.ReadTimeout": "NET-TIMEOUT",
    "httpx.ConnectTimeout: timed out": "REACH-FIREWALL",
    "httpx.PoolTimeout": "NET-POOL",
    "httpx.HTTPStatusError: Client error '401 Unauthorized' for url 'https://api.ring.com/clients_api/ring_devices'":
        "AUTH-TOKEN",
    "httpx.HTTPStatusError: Client error '429 Too Many Requests' for url 'https://api.amazonvision.com/v1/devices'":
        "PARTNER-RATE",
    "socket.gaierror: [Errno 11001] getaddrinfo failed": "NET-DNS",
    "ConnectionRefusedError: [Errno 111] Connection refused": "REACH-REFUSED",
    "[WinError 10061] No connection could be made because the target machine actively refused it": "REACH-REFUSED",
    "OSError: [Errno 113] No route to host": "NET-UNREACHABLE",
    "ConnectionResetError: [Errno 104] Connection reset by peer": "NET-UNREACHABLE",
    "ssl.SSLCertVerificationError: [CERTIFICATE_VERIFY_FAILED] certificate has expired": "REACH-CERT-EXPIRED",
    "ssl.SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)": "REACH-SCHEME",
    "Traceback (most recent call last):\n  File \"x.py\", line 3, in <module>\nTimeoutError\n": "NET-TIMEOUT",
    "asyncio.exceptions.TimeoutError": "NET-TIMEOUT",
    "RuntimeError: Task got Future <Future pending> attached to a different loop": "REQUEST-LOOP",
    "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0) while reading oauth.ring.com":
        "AUTH-ANSWER",
    "requests: api.amazonvision.com Expecting value: line 1 column 1 (char 0)": "PARTNER-ANSWER",
    "ModuleNotFoundError: No module named 'redis'": "CFG-DEPENDENCY",
    "pydantic_core.ValidationError: 1 validation error for Settings\nserver.port": "CFG-INVALID",
    "OSError: [Errno 28] No space left on device: 'door.mp4'": "FILE-FULL",
    "sqlite3.OperationalError: database is locked": "STORE-BUSY",
    "redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379.": "CALL-GATE-ALONE",
    # servers
    "ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use":
        "CFG-PORT",
    "[Errno 10048] only one usage of each socket address (protocol/network address/port) is normally permitted":
        "CFG-PORT",
    "Error: listen EADDRINUSE: address already in use :::3000": "CFG-PORT",
    "WARNING:  No supported WebSocket library detected. Please use \"pip install 'uvicorn[standard]'\"":
        "CFG-DEPENDENCY",
    'INFO:     127.0.0.1:50000 - "WebSocket /ws/signalling/7/doctor" 403': "ROOM-PATH",
    'INFO:     127.0.0.1:50000 - "WebSocket /ws/signaling/undefined/doctor" [accepted]': "ROOM-ID",
    "connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.1": "REACH-REFUSED",
    "session 0001: realm <x> user <1795000000:p_1>: cannot find credentials of user <1795000000:p_1>":
        "TURN-CREDENTIALS",
    # browsers
    "WebSocket connection to 'ws://undefined/ws/signaling/7/doctor' failed: ": "REACH-URL",
    "WebSocket connection to 'ws://localhost:8000/ws/signaling/undefined/doctor' failed: ": "ROOM-ID",
    "WebSocket connection to 'ws://localhost:8000/ws/signaling/7/doctor' failed: ": "REACH-REFUSED",
    "WebSocket connection to 'ws://localhost:8000/ws/signaling/7/doctor' failed: "
    "Error in connection establishment: net::ERR_CONNECTION_REFUSED": "REACH-REFUSED",
    "WebSocket connection to 'wss://x.example/ws' failed: WebSocket is closed before the connection is established.":
        "WEB-CLOSED-EARLY",
    "WebSocket connection to 'ws://x/ws/signaling/7/doctor' failed: Error during WebSocket handshake: "
    "Unexpected response code: 404": "ROOM-PATH",
    "Error during WebSocket handshake: Unexpected response code: 403": "ROOM-ORIGIN",
    "Error during WebSocket handshake: Unexpected response code: 200": "REACH-OTHER",
    "Error during WebSocket handshake: Unexpected response code: 426": "REACH-PROXY",
    "Error during WebSocket handshake: 'Upgrade' header is missing": "REACH-PROXY",
    "Firefox can\u2019t establish a connection to the server at ws://localhost:8000/ws.": "REACH-REFUSED",
    "The connection to ws://localhost:8000/ was interrupted while the page was loading.": "WEB-CLOSED-EARLY",
    "❌ Signaling error: {}": "REACH-REFUSED",
    "âŒ Signaling error: {}": "REACH-REFUSED",
    "SyntaxError: Failed to construct 'WebSocket': The URL 'undefined/ws' is invalid.": "REACH-URL",
    "SecurityError: Failed to construct 'WebSocket': An insecure WebSocket connection may not be initiated from a page "
    "loaded over HTTPS.": "REACH-MIXED",
    "Mixed Content: The page at 'https://x.example/' was loaded over HTTPS, but attempted to connect to the insecure "
    "WebSocket endpoint 'ws://x.example/ws'.": "REACH-MIXED",
    "Access to fetch at 'http://localhost:8000/api' from origin 'http://localhost:3000' has been blocked by CORS "
    "Connecting to 'ws://h/ws/v2' violates the following Content Security Policy directive: \"connect-src 'self'\". "
    "The action has been blocked.": "REACH-POLICY",
    "Refused to connect to 'ws://h/ws/v2' because it violates the following Content Security Policy directive: "
    "\"connect-src 'self'\".": "REACH-POLICY",
    "Fetch API cannot load http://h:8000/. Refused to connect because it violates the document's Content Security "
    "Policy.": "REACH-POLICY",
    "WebSocket connection to 'ws://h:8000/ws/v2' failed: Connection closed before receiving a handshake response": (
        "REACH-SCHEME"
    ),
    "policy: No 'Access-Control-Allow-Origin' header is present": "REACH-CORS",
    "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource": "REACH-CORS",
    "GET http://localhost:8000/health net::ERR_CONNECTION_REFUSED": "REACH-REFUSED",
    "net::ERR_NAME_NOT_RESOLVED": "NET-DNS",
    "net::ERR_CERT_AUTHORITY_INVALID": "REACH-CERT-ISSUER",
    "net::ERR_CONNECTION_TIMED_OUT": "REACH-FIREWALL",
    "TypeError: Failed to fetch": "REACH-REFUSED",
    "SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON": "REACH-OTHER",
    "NotAllowedError: Permission denied": "WEB-DENIED",
    "DOMException: Permission denied by system": "WEB-DENIED",
    "NotFoundError: Requested device not found": "WEB-NO-DEVICE",
    "NotReadableError: Could not start video source": "WEB-DEVICE-BUSY",
    "TypeError: Cannot read properties of undefined (reading 'getUserMedia')": "WEB-INSECURE",
    "Incompatible send direction": "SDP-DIRECTION",
    "InvalidStateError: Failed to execute 'setRemoteDescription' on 'RTCPeerConnection': Failed to set remote answer "
    "sdp: Called in wrong state: stable": "ROOM-ORDER",
    "InvalidAccessError: Failed to execute 'setRemoteDescription' on 'RTCPeerConnection': Failed to set remote answer "
    "sdp: Failed to set remote video description send parameters for m-section with mid='1'.": "SDP-PROFILE",
    "Failed to execute 'setRemoteDescription' on 'RTCPeerConnection': Failed to parse SessionDescription. a=x "
    "Invalid SDP line.": "SIG-SDP",
    "Failed to execute 'addIceCandidate' on 'RTCPeerConnection': The remote description was null": "ROOM-ORDER",
    "WebRTC: ICE failed, add a TURN server and see about:webrtc for more details": "WEB-NO-PATH",
    "WebRTC: ICE failed, your TURN server appears to be broken, see about:webrtc": "TURN-UNREACHABLE",
    "iceConnectionState changed to failed": "WEB-NO-PATH",
    "icecandidateerror 701 TURN host lookup received error.": "TURN-UNREACHABLE",
    # other clients
    "ring_doorbell.exceptions.Requires2FAError: 2FA required": "AUTH-CODE-NEEDED",
    "oauthlib.oauth2.rfc6749.errors.MissingTokenError: (missing_token) Missing access token parameter.":
        "AUTH-EDGE-BLOCK",
    "Refresh token is not valid.  Unable to authenticate with Ring servers.": "AUTH-LINK-LOST",
    "TypeError: Cannot use 'in' operator to search for 'error' in 406 Not Acceptable": "AUTH-EDGE-BLOCK",
    "ring_doorbell.exceptions.RingError: Unable to generate RTC stream in time": "SIG-NO-ANSWER",
    "Error: Failed to negotiate codecs.": "SDP-CODEC",
    # in somebody's words
    "the camera is offline": "CAM-OFFLINE",
    "wrong password": "AUTH-PASSWORD",
    "privacy cover closed": "CAM-PRIVACY",
    # pieces of logs
    "\x1b[31m2026-11-20 03:00:01,120 ERROR\x1b[0m live view of 1001 ended: \x1b[1mSIG-TIME-LIMIT\x1b[0m":
        "SIG-TIME-LIMIT",
    "2026-11-20 03:00:00 DEBUG > TEXT '{}'\n2026-11-20 03:00:26 DEBUG < CLOSE 4002 (private use) doorbot_id\n":
        "SIG-DOORBOT-ID",
    '{"level":"error","msg":"dial: \\"getaddrinfo ENOTFOUND api.ring.com\\"","pid":26}': "NET-DNS",
    "frontend-1  | ready\nbackend-1   | ERROR: [Errno 98] Address already in use\nbackend-1 exited with code 1\n":
        "CFG-PORT",
    "[11/20/2026, 3:00:00 AM] [Ring] Video stream closed\n{\n  doorbot_id: 1,\n  reason: { code: 5, text: "
    "'Sessions with the provided ID not found' }\n}": "SIG-SESSION-LOST",
    # the Partner API's errors as Ring's own page shows them, and the words of the handlers printed there
    '{"errors": [{"status": "400", "title": "Bad Request", "detail": "Invalid timestamp format"}]}': (
        "PARTNER-BAD-REQUEST"
    ),
    "Invalid timestamp format": "PARTNER-BAD-REQUEST",
    '{"errors": [{ "status": "401", "title": "Invalid Client" }]}': "PARTNER-AUTH",
    '{"errors": [{ "status": "403", "title": "Out of Scope Access" }]}': "PARTNER-SCOPE",
    '{\n  "errors": [{\n    "status": "404",\n    "title": "Not Found",\n'
    '    "detail": "The requested resource could not be found"\n  }]\n}': "PARTNER-NOT-FOUND",
    "The requested resource could not be found": "PARTNER-NOT-FOUND",
    '{"errors": [{"status": "404"}]}': "PARTNER-NOT-FOUND",
    '{"errors": [{"status": "500", "title": "Internal Server Error"}]}': "PARTNER-SERVER",
    "Too many requests. Please retry after 60 seconds.": "PARTNER-RATE",
    "Rate limited. Retry after 60 seconds": "PARTNER-RATE",
    '{"errors": [{"status": "503", "title": "Service Unavailable", "detail": "Device is currently offline"}]}': (
        "PARTNER-DEVICE-OFFLINE"
    ),
    "Device is currently offline": "PARTNER-DEVICE-OFFLINE",
    "Access token expired": "PARTNER-AUTH",
    "Insufficient permissions": "PARTNER-SCOPE",
    "Resource not found": "PARTNER-NOT-FOUND",
    "Server error occurred": "PARTNER-SERVER",
    "Server error after 3 attempts": "PARTNER-SERVER",
    "Authentication failed after refresh": "PARTNER-AUTH",
    "Failed after 3 attempts: [Errno 111] Connection refused": "REACH-REFUSED",
    "Not Found": "CAM-GONE",
    "Client error: 404": "CAM-GONE",
    "Unexpected error: 422": "RING-BODY",
    # headings of guides to live view and to signaling
    "Missing Account ID": "ACCOUNT-ID",
    "Region Mismatch": "SIG-REGION",
    "generic WebSocket message error": "SIG-REJECTED",
    "Incorrect Message Format": "SIG-FORMAT",
    "Incorrect Request Sequence": "SIG-ORDER",
    "blocked by CORS policy": "REACH-CORS",
    "Mixed Content": "REACH-MIXED",
    "Port 8000 already in use": "CFG-PORT",
}  # fmt: skip

UNKNOWN = [
    "", "  ", "\n\n", "?", "xyzzy", "lorem ipsum dolor sit amet", "31415", "v1.26.3", "26.1", "SIG-", "x" * 300,
    "error 26 of 31 tests failed",
    "exit code 5",
    "process exited with code 1",
    "IndexError: list index out of range",
    "KeyError: 'doorbell'",
    "error: could not compile `foo` due to 2 previous errors",
    "printer out of order",
    "Authentication failed for user root from 192.0.2.7 port 22 ssh2",
    '192.0.2.1 - - [20/Nov/2026:03:00:00 +0000] "GET /index.html HTTP/1.1" 404 153',
    "npm ERR! code 404",
    "SELECT * FROM cameras WHERE id = 4002",
    "I have 429 sheep",
    "room 404, second floor, please",
    "the meeting is at 10:26 in room 5",
    "Segmentation fault (core dumped)",
    "fatal: not a git repository (or any of the parent directories): .git",
    "java.lang.NullPointerException at com.example.Main.main(Main.java:26)",
    "everything is fine today",
    "please help, my camera does not work",
    "2026-11-20 03:00:26 INFO heartbeat 5 10 26 1006 4002",
    "candidate:1 1 udp 2130706431 192.0.2.10 50000 typ host",
    "a=candidate 26\nv=0\no=- 0 0 IN IP4 127.0.0.1\nsdp session_id dialog_id",
]  # fmt: skip
