"""The ways to a desk's gateway: what each offers, and the one on this machine, over unix sockets."""

import asyncio
import itertools
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from actors import names
from actors.system import outside
from runtime.address import Address, StreamKind
from runtime.asking import ConnectionLost, NotDelivered
from runtime.errors import Unavailable
from runtime.outside import Outside
from runtime.rundir import RunRecord

Result = TypeVar("Result")

LOOK_S = 1.0
"""So often it is looked whether the gateway that was asked still lives."""
FIND_S = 10.0
"""So long a gateway that is being started again is waited for."""
_ways = itertools.count(1)


class Way(Protocol):
    """May be used from any thread."""

    run: str
    """Name of the run that it leads to."""

    def ask(self, payload: bytes, timeout_s: float) -> bytes:
        """What the gateway answers. Raises `NotDelivered`, or `Unavailable` when the outcome is not known."""
        ...

    def close(self) -> None: ...


class LocalWay:
    """To a run on this machine: a small host of our own in a thread of its own."""

    def __init__(self, record: RunRecord) -> None:
        self.run = Path(record.folder).name
        self._record = record
        self._address: Address | None = None
        self._loop = asyncio.new_event_loop()
        self._outside: Outside
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"desk {self.run}", daemon=True)
        self._thread.start()
        try:
            self._call(self._open()).result()
        except BaseException:
            self._end()
            raise

    def ask(self, payload: bytes, timeout_s: float) -> bytes:
        if not self._thread.is_alive():
            raise ConnectionLost("this connection is closed")
        return self._call(self._ask(payload, timeout_s)).result()

    def close(self) -> None:
        if self._thread.is_alive():
            self._call(self._outside.__aexit__()).result()
            self._end()

    def _call(self, coroutine: Coroutine[Any, Any, Result]) -> "Future[Result]":
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> None:
        endpoint = Path(self._record.folder, f"ask-{os.getpid()}-{next(_ways)}.sock")
        self._outside = outside(Path(self._record.socket), endpoint)
        await self._outside.__aenter__()
        try:
            self._address = await self._find()
        except BaseException:
            await self._outside.__aexit__()
            raise

    async def _find(self) -> Address:
        """Where the gateway lives now."""
        try:
            async with asyncio.timeout(FIND_S):
                while True:
                    address = await self._look()
                    if address is not None:
                        return address
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise NotDelivered(f"the gateway of {self.run} is not up; `outcry doctor` says why") from None

    async def _look(self) -> Address | None:
        try:
            rows = (await self._outside.table()).rows
        except Unavailable as error:
            raise NotDelivered(f"run {self.run}: {error}") from error
        address = next((row.address for row in rows if row.name == names.GATEWAY), None)
        # On a cluster others reach it by TCP; we are where it lives.
        return None if address is None else msgspec.structs.replace(address, kind=StreamKind.UNIX)

    async def _is_elsewhere(self, address: Address) -> bool:
        """A supervisor that is silent, or does not know yet, says nothing about what was asked."""
        try:
            return await self._look() not in (address, None)
        except NotDelivered:
            return False

    async def _ask(self, payload: bytes, timeout_s: float) -> bytes:
        address = self._address or await self._find()
        asking = asyncio.ensure_future(self._outside.ask(address, payload, timeout_s))
        try:
            while not (await asyncio.wait([asking], timeout=LOOK_S))[0]:
                if await self._is_elsewhere(address):
                    raise Unavailable("the gateway ended before it answered")
            return asking.result()
        except Unavailable:
            self._address = None
            raise
        finally:
            asking.cancel()
