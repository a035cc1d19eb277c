"""Asking the head of the cluster off the loop: Ray's own calls hang as long as the head is away."""

import asyncio
import contextlib
import importlib
import socket
import struct
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any, TypeVar

from runtime.pidfd import gone

Result = TypeVar("Result")

SLOW_S = 2.0
"""Who has waited so long is told that it does, and again after as long."""


async def ask(function: Callable[[], Result], on_wait: Callable[[], object] | None = None) -> Result:
    """Everything else goes on meanwhile. Asks again when Ray gives up because the head is away; raises other errors."""
    import ray

    while True:
        asked = _in_thread(function)
        while not (await asyncio.wait((asked,), timeout=SLOW_S))[0]:
            if on_wait is not None:
                on_wait()
        try:
            return asked.result()
        except (ray.exceptions.GetTimeoutError, ray.exceptions.RpcError):
            await asyncio.sleep(SLOW_S)


async def node_ended() -> None:
    """Returns when Ray's node on this machine is gone, and with it every host here."""
    worker: Any = importlib.import_module("ray._private.worker")
    with socket.socket(socket.AF_UNIX) as raylet:
        try:
            raylet.connect(worker._global_node.raylet_socket_name)
        except OSError:
            return
        pid, _, _ = struct.unpack("3i", raylet.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    await gone(pid)


def _in_thread(function: Callable[[], Result]) -> "asyncio.Future[Result]":
    """In one that does not keep this process from ending."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def tell(settle: Callable[[], None]) -> None:
        if not future.done():
            settle()

    def run() -> None:
        try:
            settle = partial(future.set_result, function())
        except Exception as error:
            settle = partial(future.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, settle)

    Thread(target=run, name="ask the head", daemon=True).start()
    return future
