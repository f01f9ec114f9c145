"""The blocks of the page about linking print what it says, one after the other."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "link-accounts.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", PAGE, re.MULTILINE | re.DOTALL)
END = "-- end of a block --\n"


@pytest.mark.program
def test_the_blocks_of_the_page_print_what_it_says(tmp_path: Path) -> None:
    program = re.search(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert program is not None
    (tmp_path / "shop.py").write_text(program[1], encoding="utf-8")
    ports = {port: str(free_port()) for port in ("8100", "8090")}

    def here(text: str) -> str:
        for port, free in ports.items():
            text = text.replace(port, free)
        return text

    script = here("trap 'kill $(jobs -p)' EXIT\n" + f"echo '{END.strip()}'\n".join(block for block, _ in BLOCKS))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RINGLIGHT_")}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "no_proxy": "*"}
    environment |= {"RINGLIGHT_STATE_DIR": str(tmp_path / "state")}
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script], cwd=tmp_path, text=True, check=False, capture_output=True,
        timeout=120, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split(END) == [here(said) for _, said in BLOCKS]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
