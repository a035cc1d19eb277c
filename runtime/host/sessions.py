"""Streams that others opened to this host: whoever tells or subscribes to one of its actors."""

from typing import TYPE_CHECKING

from runtime.address import Address
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.errors import PeerFault
from runtime.host.cell import Cell
from runtime.message import Lane
from runtime.protocol import (
    ANY_INCARNATION,
    Hello,
    PatternsChanged,
    Refused,
    StreamPurpose,
    TopicShed,
    Welcome,
)
from runtime.transport.feed import StreamOutlet
from runtime.transport.stream import FrameReader, Stream

if TYPE_CHECKING:
    from runtime.host.host import Host

WORK_NS = 1 * NS_PER_MS


class Session:
    """The accepting side of one stream. The first frame says who is meant; a life that is over is refused."""

    def __init__(self, host: "Host") -> None:
        self._host = host
        self._cell: Cell | None = None
        self._outlet: StreamOutlet | None = None
        self.sender: Address | None = None
        """The host that tells, once it has said so."""

    # -- StreamOwner

    def stream_up(self, stream: Stream) -> None:
        self._host.sessions[stream] = self

    def stream_read(self, stream: Stream, messages: FrameReader) -> None:
        if self._cell is None:
            hello = messages.next()
            if hello is None:
                return
            if not isinstance(hello, Hello):
                raise PeerFault(f"a stream that begins with {type(hello).__name__}")
            self._greet(stream, hello)
        if self._outlet is not None:
            self._read_subscriber(stream, messages)
        elif self._cell is not None:
            self._read_messages(stream, messages, self._cell)
        self._host.end_turn()

    def stream_writable(self, stream: Stream) -> None:
        if self._outlet is not None:
            self._outlet.writable()
            self._host.end_turn()

    def stream_down(self, stream: Stream, reason: str) -> None:
        self._host.sessions.pop(stream, None)
        if self._outlet is not None and self._cell is not None and self._cell.outlets.remove(self._outlet):
            self._host.feeds.unsubscribed(self._cell, self._outlet.subscriber.actor)

    def _greet(self, stream: Stream, hello: Hello) -> None:
        cell = self._host.cell(hello.target)
        if cell is None or hello.incarnation not in (ANY_INCARNATION, cell.address.incarnation):
            living = "none" if cell is None else str(cell.address.incarnation)
            stream.send(Refused(f"{hello.target} incarnation {hello.incarnation} is not here (here: {living})"))
            return
        if hello.purpose is StreamPurpose.TELL:
            if not self._host.listens_to(hello.sender):
                stream.send(Refused(f"{hello.sender.host} incarnation {hello.sender.incarnation} is over"))
                return
            self.sender = hello.sender
        elif self._is_over(cell, hello.sender):
            stream.send(Refused(f"{hello.sender.actor} incarnation {hello.sender.incarnation} is over"))
            return
        self._cell = cell
        stream.send(Welcome(cell.address.incarnation))
        if hello.purpose is StreamPurpose.FEED:
            self._outlet = StreamOutlet(
                hello.sender,
                hello.patterns,
                stream,
                lambda topic: self._host.feeds.refresh(cell, topic),
            )
            cell.outlets.put(self._outlet)
            self._host.met(hello.sender)
            self._host.feeds.subscribed(cell, hello.sender, hello.patterns)

    def _is_over(self, cell: Cell, subscriber: Address) -> bool:
        """A life that was cut off and is back may not take the place of the one that has followed it."""
        known = self._host.directory.find(subscriber.actor)
        return (known is not None and known.incarnation > subscriber.incarnation) or cell.outlets.has_later(subscriber)

    def _read_subscriber(self, stream: Stream, messages: FrameReader) -> None:
        cell, outlet = self._cell, self._outlet
        if cell is None or outlet is None:
            return
        while (message := messages.next()) is not None:
            match message:
                case PatternsChanged() if cell.outlets.has_later(outlet.subscriber):
                    self._host.sessions.pop(stream, None)
                    stream.close()
                    return
                case PatternsChanged(patterns):
                    outlet.patterns = patterns
                    cell.outlets.put(outlet)
                    self._host.feeds.subscribed(cell, outlet.subscriber, patterns)
                case TopicShed(topic):
                    self._host.feeds.refresh(cell, topic)
                case _:
                    raise PeerFault(f"{type(message).__name__} from a subscriber")

    def _read_messages(self, stream: Stream, messages: FrameReader, cell: Cell) -> None:
        begun = self._host.clock.now()
        if self._host.is_away(cell, begun):
            stream.pause()
            self._host.loop.call_later(self._host.spec.heartbeat_ns / NS_PER_S, stream.go_on)
            return
        while (message := messages.next()) is not None:
            if not cell.alive:
                stream.close()
                return
            self._host.accept(cell, message.lane if message.lane is not Lane.FEED else Lane.COMMANDS, message)
            if cell.mailbox.commands_full:
                stream.pause()
                cell.when_drained.append(stream.go_on)
                return
            if self._host.clock.now() - begun > WORK_NS:
                stream.pause()
                self._host.loop.call_soon(stream.go_on)
                return
