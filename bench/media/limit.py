"""The physical limit in the same run: encrypt and hand over to the kernel, and nothing else."""

import shutil
import subprocess
import time
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SOURCE = Path(__file__).with_name("limit.c")
PAYLOAD, HEADER = 1116, 12  # bytes


def measure(viewers: int, seconds: int, cores: tuple[int, int], folder: Path) -> tuple[str, float]:
    """Return what was measured, and µs for a packet and viewer."""
    program = _compiled(folder)
    if program is not None:
        command = [str(program), str(viewers), str(seconds), *map(str, cores)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0:
            return "AES-GCM and sendmsg with UDP_SEGMENT, in C", int(done.stdout) / 1000
    return "AES-GCM alone, from Python (no C compiler with OpenSSL here)", _encryption(seconds)


def _compiled(folder: Path) -> Path | None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    program = folder / "limit"
    command = [compiler, "-O2", "-o", str(program), str(SOURCE), "-lcrypto"]
    done = subprocess.run(command, capture_output=True, check=False)
    return program if done.returncode == 0 else None


def _encryption(seconds: float) -> float:
    cipher, count = AESGCM(bytes(16)), 0
    header, payload = bytes(HEADER), bytes(PAYLOAD)
    began = time.process_time()
    while time.process_time() - began < seconds:
        for _ in range(1000):
            count += 1
            cipher.encrypt(count.to_bytes(12, "big"), payload, header)
    return 1e6 * (time.process_time() - began) / count
