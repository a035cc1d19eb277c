"""Runs a third-party client's script in its own environment against a fake venue over TLS."""

import asyncio
import json
from pathlib import Path
from typing import Any

from actors.simulation.server import Venue, serve
from tests.third_party.environment import client_python
from tests.third_party.redirect import Redirect

_TIMEOUT_S = 300


async def run_client(requirement: str, script: str, venue: Venue, names: list[str], folder: Path) -> Any:
    """What the script printed, as JSON. `names` are the venue's hosts, for the server's certificate."""
    python = client_python(requirement)
    redirect = Redirect(folder, names)
    server = await serve(venue, tls=redirect.tls)
    try:
        client = await asyncio.create_subprocess_exec(
            python,
            str(Path(__file__).with_name(script)),
            env=redirect.environment(server.port),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await asyncio.wait_for(client.communicate(), _TIMEOUT_S)
    finally:
        await server.close()
    assert client.returncode == 0, errors.decode()
    return json.loads(output)
