"""Drives Debian's Firefox by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), which it speaks by itself."""

import contextlib
import itertools
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

START_WITHIN, ANSWER_WITHIN = 60, 60  # seconds
PREFERENCES = {
    "media.peerconnection.ice.obfuscate_host_addresses": False,  # names of mDNS, which nobody here resolves
    "media.peerconnection.ice.loopback": True,
    "media.autoplay.default": 0,
    "media.navigator.streams.fake": True,  # a camera and a microphone that are made up
    "media.navigator.permission.disabled": True,  # and nobody is asked for them
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


class Firefox:
    """One page of a running Firefox."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._command("session.new", capabilities={})
        self._page = self._command("browsingContext.getTree")["contexts"][0]["context"]

    def open(self, url: str) -> None:
        """Go to a page and wait until it has loaded."""
        self._command("browsingContext.navigate", context=self._page, url=url, wait="complete")

    def run(self, script: str) -> Any:
        """Run the body of an asynchronous function in the page; return what it returned, by way of JSON."""
        expression = f"(async () => {{ {script} }})().then((found) => JSON.stringify(found ?? null))"
        target = {"context": self._page}
        done = self._command("script.evaluate", expression=expression, target=target, awaitPromise=True)
        assert done["type"] == "success", done
        return json.loads(done["result"]["value"])

    def wait_for(self, condition: str, within: float = 30) -> None:
        """Wait until an expression is true in the page."""
        end = time.monotonic() + within
        while not self.run(f"return Boolean({condition})"):
            assert time.monotonic() < end, f"{condition} did not come true in {within} s"
            time.sleep(0.1)

    def _command(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._socket.recv(timeout=ANSWER_WITHIN))
            if said.get("id") == number:  # else it is an event
                assert said["type"] == "success", said
                result: dict[str, Any] = said["result"]
                return result


@contextlib.contextmanager
def firefox() -> Iterator[Firefox]:
    """Start a Firefox without a screen and with a fresh profile."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items())
        Path(profile, "user.js").write_text("".join(lines))
        command = ["firefox-esr", "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        stopper = threading.Timer(START_WITHIN, process.kill)  # ends the wait for a line that does not come
        stopper.start()
        assert process.stdout is not None
        rest = threading.Thread(target=process.stdout.read)
        try:
            url = next((line.split()[-1] for line in process.stdout if "BiDi listening on" in line), None)
            stopper.cancel()
            assert url is not None, "Firefox did not start"
            rest.start()
            with connect(f"{url}/session", max_size=None, proxy=None) as socket:
                yield Firefox(socket)
        finally:
            stopper.cancel()
            process.terminate()
            process.wait(20)
            if rest.ident is not None:
                rest.join()
            process.stdout.close()
