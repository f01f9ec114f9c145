"""Faults of several servers together: who shows a camera, and what they share."""

from ringlight.faults.fault import Fault, Retry

ROWS = (
    Fault(
        "CAM-ELSEWHERE",
        "Another server shows this camera",
        cause="A camera has one session with Ring, and another one of your servers holds it. Programs and players are "
        "sent there by themselves; a browser may not follow to an address of another origin.",
        fix="Open the page at the address that is named. Better let `server.node_url` of each server be a path of the "
        "address that browsers use, such as https://cams.example/node-a; docs/how-to/several-servers.md shows how.",
        retry=Retry.BACKOFF,
        http=409,
    ),
    Fault(
        "CAM-MOVED",
        "The camera goes on at another server",
        cause="This server has handed the camera over, because it stops or because another one holds it now.",
        fix="Open the view again; the page does so by itself.",
        retry=Retry.NOW,
        http=503,
    ),
    Fault(
        "NODE-ALONE",
        "This server does not reach Redis",
        cause="Redis, through which several servers agree on who shows which camera, does not answer. What runs goes "
        "on for as long as `server.alone_for` allows, and two servers may show the same camera meanwhile.",
        fix="Look whether Redis runs, and whether `redis_url` is right. Nothing has to be started again: the server "
        "comes back by itself.",
        retry=Retry.BACKOFF,
        http=503,
    ),
    Fault(
        "NODE-LEAVING",
        "This server is about to stop",
        cause="The server was told to stop and opens no more views; others take over.",
        fix="Ask again, at another server. The load balancer finds one as soon as it sees `/ready` answer 503.",
        retry=Retry.BACKOFF,
        http=503,
    ),
)
