"""aioice's ICE agent as we use it: also where there is only loopback, and with servers that are named later."""

import asyncio
from collections.abc import Iterable

import aioice
from aioice import ice

from ringlight.media.ice_servers import IceServer

__all__ = ["LOOPBACK", "Agent"]

LOOPBACK = "127.0.0.1"
SETTLE = 1.0  # seconds that STUN and TURN servers have after the first of them has answered


class Agent(aioice.Connection):
    """aioice's agent, which also works where the only address is loopback (it leaves that one out)."""

    async def get_component_candidates(
        self,
        component: int,
        addresses: list[str],
        timeout: int = 5,  # noqa: ASYNC109 - aioice's own signature
    ) -> list[aioice.Candidate]:
        """Find our own addresses; loopback where there is no other."""
        return await super().get_component_candidates(component, addresses or [LOOPBACK], timeout)

    async def gather_by(self, servers: Iterable[IceServer], within: float) -> list[aioice.Candidate]:
        """Ask servers how we are seen from there (STUN), and for addresses that they relay (TURN).

        aioice knows one server of each kind, and before it gathers; these may come after. One that does not answer
        is left out.
        """
        hosts = [known for known in self._protocols if _is_ipv4_host(known.local_candidate)]
        asked = [
            asyncio.create_task(self._ask(server, host)) for server in servers
            for host in (hosts if server.kind == "stun" else hosts[:1])
        ]  # fmt: skip
        if not asked:
            return []
        done, late = await asyncio.wait(asked, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if late:  # an address of ours that leads nowhere is never answered: it holds up nobody
            more, late = await asyncio.wait(late, timeout=min(SETTLE, within))
            done |= more
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        found: list[aioice.Candidate] = []
        for task in done:
            if task.exception() is None:
                candidate, relay = task.result()
                found.append(candidate)
                if relay is not None:
                    self._protocols.append(relay)
        self._local_candidates += found
        return found

    async def _ask(self, server: IceServer, host: ice.StunProtocol) -> tuple[aioice.Candidate, ice.StunProtocol | None]:
        if server.kind == "stun":
            return await ice.server_reflexive_candidate(host, (server.host, server.port))
        return await ice.relayed_candidate(
            component=1, hide_related_address=False, protocol_factory=lambda: ice.StunProtocol(self),
            turn_server=(server.host, server.port), turn_username=server.username,
            turn_password=server.credential.reveal() if server.credential else None,
            turn_ssl=server.tls, turn_transport=server.transport,
        )  # fmt: skip


def _is_ipv4_host(candidate: aioice.Candidate | None) -> bool:
    return candidate is not None and candidate.type == "host" and ":" not in candidate.host
