"""Sending to an actor of another host: one stream per life of the receiver, opened when it is first needed."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from runtime.address import Address
from runtime.errors import PeerFault
from runtime.message import Message
from runtime.protocol import Hello, Refused, StreamPurpose, Welcome
from runtime.transport.network import Network
from runtime.transport.stream import WRITE_HIGH_BYTES, FrameReader, Stream
from runtime.transport.wire import Codec

PENDING_CAPACITY = 10_000
BACKLOG_LIMIT_BYTES = 8 * WRITE_HIGH_BYTES


class Turns(Protocol):
    """The host's side of a stream: what was collected leaves when the turn ends."""

    def dirty(self, stream: Stream) -> None: ...

    def end_turn(self) -> None: ...


OnUndelivered = Callable[[str, str, Message, str], None]
"""(sender, to, message, reason)."""


class Peer:
    """One life of one actor elsewhere. Guarantees: in order; what certainly did not leave is given back."""

    def __init__(
        self,
        address: Address,
        sender: Address,
        network: Network,
        codec: Codec,
        turns: Turns,
        on_undelivered: OnUndelivered,
    ) -> None:
        self.down = False
        self._address = address
        self._sender = sender
        self._network = network
        self._codec = codec
        self._turns = turns
        self._on_undelivered = on_undelivered
        self._stream: Stream | None = None
        self._welcome = False
        self._pending: list[tuple[str, Message]] = []
        self._dialling = asyncio.get_running_loop().create_task(self._dial())

    def tell(self, sender: str, message: Message) -> None:
        if self.down:
            self._give_back(sender, message, "the connection is down")
        elif not self._welcome or self._stream is None:
            if len(self._pending) >= PENDING_CAPACITY:
                self._give_back(sender, message, "Overloaded: too many wait for the connection")
            else:
                self._pending.append((sender, message))
        elif self._stream.congested and self._stream.backlog > BACKLOG_LIMIT_BYTES:
            self._give_back(sender, message, "Overloaded: the receiver reads too slowly")
        else:
            self._stream.send(message)

    def flush(self) -> None:
        """Write what was told, if the connection stands."""
        if self._welcome and self._stream is not None:
            self._stream.flush()

    def close(self, reason: str) -> None:
        if not self.down:
            self.down = True
            self._dialling.cancel()
            if self._stream is not None:
                self._stream.close()
            self._give_back_pending(reason)

    async def _dial(self) -> None:
        try:
            await self._network.dial(self._address, lambda: Stream(self._codec, self, self._turns.dirty))
        except OSError as error:
            self.down = True
            self._give_back_pending(f"cannot be reached: {error}")
            self._turns.end_turn()

    def _give_back(self, sender: str, message: Message, reason: str) -> None:
        self._on_undelivered(sender, self._address.actor, message, reason)

    def _give_back_pending(self, reason: str) -> None:
        pending, self._pending = self._pending, []
        for sender, message in pending:
            self._give_back(sender, message, reason)

    # -- StreamOwner

    def stream_up(self, stream: Stream) -> None:
        self._stream = stream
        stream.send(Hello(StreamPurpose.TELL, self._sender, self._address.actor, self._address.incarnation))
        self._turns.end_turn()

    def stream_read(self, stream: Stream, messages: FrameReader) -> None:
        while (message := messages.next()) is not None:
            match message:
                case Welcome():
                    self._welcome = True
                    pending, self._pending = self._pending, []
                    for _, waiting in pending:
                        stream.send(waiting)
                case Refused(reason):
                    self.close(f"refused: {reason}")
                case _:
                    raise PeerFault(f"{type(message).__name__} on a stream that only sends")
        self._turns.end_turn()

    def stream_writable(self, stream: Stream) -> None: ...

    def stream_down(self, stream: Stream, reason: str) -> None:
        self.down = True
        self._give_back_pending(f"the connection was lost: {reason}")
        self._turns.end_turn()
