"""Asking the head of the cluster off the loop: Ray's own calls hang as long as the head is away."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")

THREADS = 8
SLOW_S = 2.0
"""Who has waited so long is told that it does, and again after as long."""


class Head:
    """Everything else goes on while it is asked; what was asked while it was away is done when it is back."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ray head")

    async def ask(
        self, function: Callable[..., Result], *arguments: Any, on_wait: Callable[[], object] | None = None
    ) -> Result:
        """Asks again when Ray gives up because the head is away; raises all other errors."""
        import ray

        loop = asyncio.get_running_loop()
        while True:
            asked = loop.run_in_executor(self._threads, function, *arguments)
            while not (await asyncio.wait((asked,), timeout=SLOW_S))[0]:
                if on_wait is not None:
                    on_wait()
            try:
                return asked.result()
            except (ray.exceptions.GetTimeoutError, ray.exceptions.RpcError):
                continue
