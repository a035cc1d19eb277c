"""Child processes: started with one line of JSON out of them, ended by closing their standard input."""

import asyncio
import json
import os
import sys
import threading
from typing import Any

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 60.0


class Child:
    """`python -m module arguments` that prints one line of JSON when it is ready and ends when its stdin does."""

    def __init__(self, process: asyncio.subprocess.Process, ready: dict[str, Any]) -> None:
        self._process = process
        self.ready = ready

    @classmethod
    async def start(cls, module: str, **arguments: str) -> "Child":
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            json.dumps(arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout
        line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
        if not line:
            raise RuntimeError(f"{module} ended before it was ready (exit code {await process.wait()})")
        return cls(process, json.loads(line))

    async def stop(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def arguments() -> dict[str, str]:
    """What `Child.start` was given, inside the child."""
    given: dict[str, str] = json.loads(sys.argv[1])
    return given


def report_ready(**values: str) -> None:
    print(json.dumps(values), flush=True)


def exit_with_parent() -> None:
    """End this process, whatever it does, as soon as its stdin ends: no child outlives the benchmark."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os._exit(0)

    threading.Thread(target=wait, name="exit-with-parent", daemon=True).start()
