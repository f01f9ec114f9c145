"""A server loads what it serves: doctor, Partner API client and the other database only where they are used."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "spared",
    ["ringlight.partner.async_client", "ringlight.doctor.checkup", "sqlalchemy.dialects.postgresql", "alembic"],
)
def test_the_program_of_a_server_leaves_unloaded_what_it_may_never_need(spared: str) -> None:
    code = f"import sys, ringlight.server.program; print({spared!r} in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
