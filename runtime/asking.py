"""Asking an actor from outside and waiting for its answer: the asking side, as an actor of whichever host it is in."""

import asyncio
from typing import Any

from runtime.actor import Context, Report, Undelivered
from runtime.address import Address
from runtime.errors import Unavailable
from runtime.host.host import Host
from runtime.protocol import Answered, Asked


class NotDelivered(Unavailable):
    """The question certainly did not get there, so it may be asked again."""


class ConnectionLost(Unavailable):
    """This connection is of no more use; what was asked last may have been done."""


class Asker:
    """Lives in `host` from now on. An answer that comes too late is dropped."""

    def __init__(self, host: Host) -> None:
        self._host = host
        # Of its own: the answer must not be taken for that of the host that gives it.
        self._name = f"asker.{host.spec.name}"
        self._number = 0
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        host.start(self._name, 1, self)

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Answered(number, payload):
                waiting = self._waiting.get(number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(payload)
            case Undelivered(message=Asked(number=number)):
                waiting = self._waiting.get(number)
                if waiting is not None and not waiting.done():
                    waiting.set_exception(NotDelivered(f"{message.to}: {message.reason}"))
            case _:
                pass

    def report(self) -> Report:
        return Report()

    async def ask(self, to: str | Address, payload: bytes, timeout_s: float) -> bytes:
        """Raises `NotDelivered`, or `Unavailable` if no answer has come in time: it may come to be done even so."""
        cell = self._host.cell(self._name)
        if cell is None:
            raise NotDelivered("the host is over")
        self._number += 1
        number = self._number
        answer: asyncio.Future[bytes] = self._host.loop.create_future()
        self._waiting[number] = answer
        try:
            self._host.tell(cell, to, Asked(self._host.spec.address(self._name, 1), number, payload))
            self._host.end_turn()
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            raise Unavailable(f"no answer within {timeout_s:g} s") from None
        finally:
            del self._waiting[number]
