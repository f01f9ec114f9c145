"""The npm package whip-whep, not changed in anything: a WHEP player for browsers, on a page of another origin."""

import functools
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from beside_ring import HERE
from playwright.sync_api import Browser

from conftest import Program
from own_node import install_npm_packages
from ringlight.media.addresses import own_addresses

pytestmark = [pytest.mark.browser, pytest.mark.program]
PAGE = """<!doctype html><title>whip-whep</title><video muted autoplay playsinline></video><script type="module">
import {WHEPClient} from "./whep.js";
window.play = async (address) => {
  const peer = window.peer = new RTCPeerConnection(), player = window.player = new WHEPClient();
  for (const kind of ["video", "audio"]) peer.addTransceiver(kind, {direction: "recvonly"});
  peer.ontrack = ({streams}) => { document.querySelector("video").srcObject = streams[0]; };
  await player.view(peer, address);
};
window.counts = {};
setInterval(async () => window.peer?.getStats().then((stats) => stats.forEach((entry) => {
  if (entry.type === "inbound-rtp") window.counts[entry.kind] = {
    frames: entry.framesDecoded, lost: entry.packetsLost, came: entry.packetsReceived};
})), 100);
</script>"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[str]:
    """Serve the package as it is, and a page that uses it."""
    install_npm_packages()
    (tmp_path / "whep.js").write_bytes((HERE / "node_modules" / "whip-whep" / "whep.js").read_bytes())
    (tmp_path / "index.html").write_text(PAGE)
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(tmp_path))) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        serving.join()


def test_it_plays_restarts_ice_and_takes_leave(chromium: Browser, start: Callable[..., Program], origin: str) -> None:
    """By POST, PATCH and DELETE from another origin, with the headers that it can read there.

    Version 1.2.0 puts commas between the candidates of an ICE restart, so it survives one with a single candidate only.
    """
    one = {"RINGLIGHT_MEDIA__ANNOUNCE": own_addresses(ipv6=False)[0], "RINGLIGHT_MEDIA__TCP": "false"}
    demo = start("demo", "--port", "0", RINGLIGHT_ALLOWED_ORIGINS=origin, **one).url
    page = chromium.new_page()
    page.goto(origin)
    page.wait_for_function("() => Boolean(window.play)")
    page.evaluate("(address) => window.play(address)", f"{demo}whep/front-door")
    page.wait_for_function("() => window.counts.video?.frames >= 30", timeout=30_000)
    before = page.evaluate("() => window.counts")["video"]["frames"]
    page.evaluate("() => window.player.restart()")
    page.wait_for_function("(before) => window.counts.video.frames >= before + 30", arg=before, timeout=30_000)
    after = page.evaluate("() => window.counts")
    audience = httpx2.get(f"{demo}api/cameras/front-door").json()["audience"]
    page.evaluate("() => window.player.stop()")
    page.close()
    assert (after["video"]["lost"], after["audio"]["lost"]) == (0, 0)
    assert after["audio"]["came"] > 50
    assert [one["restarts"] for one in audience] == [1]
    assert httpx2.get(f"{demo}api/cameras/front-door").json()["audience"] == []
