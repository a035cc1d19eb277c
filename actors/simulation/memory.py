"""Links and requests that reach fake venues without a socket: the network of a desk under a virtual clock.

Everything arrives in the order in which it left, after a fixed delay, and nothing depends on anything but the loop: the
same loop, clock and venues give the same events at the same times. What was sent before a link closed still arrives.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from actors.simulation.faults import Delivery
from actors.simulation.http_reply import HttpReply
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_S, Clock
from runtime.links.contract import FRAMES_AT_ONCE, Link, LinkEvents

if TYPE_CHECKING:
    from actors.simulation.server import Venue

_POLICY_VIOLATION = 1008


class MemoryVenue:
    """A fake venue on the running loop: wakes it when it is due and hands out what it sends.

    `latency_ns` is the way from a client to the venue, and as long again back.
    """

    def __init__(self, venue: "Venue", clock: Clock, latency_ns: int = 0) -> None:
        self._venue = venue
        self.clock = clock
        self.latency_ns = latency_ns
        self._loop = asyncio.get_running_loop()
        self._sessions: dict[str, MemoryLink] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._arm()

    def drop_links(self) -> None:
        """Cut every link, without a goodbye."""
        for session in list(self._sessions):
            self._drop(session, "connection lost")

    def close(self) -> None:
        """Nothing happens at this venue any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ---- what arrives from the clients

    def connect(self, link: "MemoryLink", host: str, path: str) -> None:
        opened = self._venue.connect(host, path, self.clock.now())
        if isinstance(opened, HttpReply):
            self._refuse(link, opened)
        else:
            link.session = opened
            self._sessions[opened] = link
            link.arrive(link.go_up)
        self._after_call()

    def receive(self, link: "MemoryLink", payload: bytes) -> None:
        if link.session in self._sessions:
            self._venue.receive(link.session, payload.decode(), self.clock.now())
            self._after_call()

    def disconnect(self, link: "MemoryLink") -> None:
        if self._sessions.pop(link.session, None) is not None:
            self._venue.disconnect(link.session, self.clock.now())
            self._after_call()

    def http(self, request: HttpRequest) -> HttpReply:
        parts = urlsplit(request.url)
        reply = self._venue.http(
            request.method,
            parts.netloc,
            parts.path,
            parts.query,
            request.headers,
            request.body.decode(),
            self.clock.now(),
        )
        self._after_call()
        return reply

    # ---- what the venue does by itself

    def _after_call(self) -> None:
        frames: dict[str, list[bytes]] = {}
        for session, payload in self._venue.take_outbox():
            if isinstance(payload, bytes):
                frames.setdefault(session, []).append(payload)
                continue
            self._deliver(session, frames.pop(session, []))
            code = _POLICY_VIOLATION if payload is None else payload.code
            self._drop(session, "connection lost" if code is None else f"closed by the peer: {code}")
        for session, payloads in frames.items():
            self._deliver(session, payloads)
        self._arm()

    def _refuse(self, link: "MemoryLink", reply: HttpReply) -> None:
        match reply.delivery:
            case Delivery.WHOLE:
                link.arrive(lambda: link.go_down(f"upgrade refused: HTTP {reply.status}"))
            case Delivery.CUT:
                link.arrive(lambda: link.go_down("connection lost"))
            case Delivery.NEVER:
                pass

    def _deliver(self, session: str, payloads: list[bytes]) -> None:
        link = self._sessions.get(session)
        if link is not None and payloads:
            link.arrive(lambda: link.read(payloads))

    def _drop(self, session: str, reason: str) -> None:
        link = self._sessions.pop(session, None)
        if link is not None:
            self._venue.disconnect(session, self.clock.now())
            link.arrive(lambda: link.go_down(reason))

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self._venue.next_due()
        if due is not None:
            self._timer = self._loop.call_later(max(due - self.clock.now(), 0) / NS_PER_S, self._drive)

    def _drive(self) -> None:
        self._timer = None
        self._venue.advance(self.clock.now())
        self._after_call()


class _Way:
    """One direction: what is put in comes out in the same order, never within the call."""

    def __init__(self, latency_ns: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._latency_s = latency_ns / NS_PER_S
        self._waiting: deque[Callable[[], None]] = deque()

    def put(self, event: Callable[[], None]) -> None:
        self._waiting.append(event)
        if self._latency_s:
            self._loop.call_later(self._latency_s, self._take)
        else:
            self._loop.call_soon(self._take)

    def _take(self) -> None:
        # Two timers of the same time may ring in any order; the oldest event is the one that is due.
        self._waiting.popleft()()


class MemoryLink:
    """One WebSocket: the client's end of it is a `Link`, the rest is for its venue."""

    def __init__(self, url: str, events: LinkEvents, venue: MemoryVenue) -> None:
        self.session = ""
        """The venue's name for it, once it is open."""
        self._events = events
        self._venue = venue
        self._out, self._back = _Way(venue.latency_ns), _Way(venue.latency_ns)
        self._up = self._closed = False
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        self._out.put(lambda: venue.connect(self, parts.netloc, path))

    def send(self, payload: bytes) -> bool:
        if self._up:
            self._out.put(lambda: self._venue.receive(self, payload))
        return self._up

    def pause_reading(self) -> None:
        """In memory nobody writes faster than is read."""

    def resume_reading(self) -> None: ...

    def close(self) -> None:
        if not self._closed:
            self._up, self._closed = False, True
            self._out.put(lambda: self._venue.disconnect(self))

    # ---- the venue's end

    def arrive(self, event: Callable[[], None]) -> None:
        """Let this happen at the client, after what was sent to it before."""
        self._back.put(event)

    def go_up(self) -> None:
        if not self._closed:
            self._up = True
            self._events.link_up()

    def read(self, payloads: list[bytes]) -> None:
        ts_recv = self._venue.clock.now()
        for first in range(0, len(payloads), FRAMES_AT_ONCE):
            if not self._closed:
                self._events.frames(payloads[first : first + FRAMES_AT_ONCE], ts_recv)
        if not self._closed:
            self._events.turn_over()

    def go_down(self, reason: str) -> None:
        if not self._closed:
            self._up, self._closed = False, True
            self._events.link_down(reason)


class MemoryIo:
    """What one host has of the network. `venues` are found by the host in an address; there is nothing else."""

    def __init__(self, venues: Mapping[str, MemoryVenue]) -> None:
        self._venues = venues
        self._links: list[MemoryLink] = []
        self._closed = False

    def open_link(self, url: str, events: LinkEvents) -> Link:
        venue = self._venues.get(urlsplit(url).netloc)
        if venue is None:
            return _NoLink(events)
        link = MemoryLink(url, events, venue)
        self._links.append(link)
        return link

    def request(self, request: HttpRequest, done: Callable[[HttpAnswered | HttpFailed], None]) -> None:
        venue = self._venues.get(urlsplit(request.url).netloc)
        if venue is None:
            failed = HttpFailed(request.id, "name not found", sent=False)
            asyncio.get_running_loop().call_soon(lambda: self._tell(done, failed))
            return
        out, back = _Way(venue.latency_ns), _Way(venue.latency_ns)

        def reach() -> None:
            reply = venue.http(request)
            match reply.delivery:
                case Delivery.WHOLE if reply.delay_ns:
                    loop.call_later(reply.delay_ns / NS_PER_S, back.put, lambda: answer(reply))
                case Delivery.WHOLE:
                    back.put(lambda: answer(reply))
                case Delivery.CUT:
                    back.put(lambda: fail("connection lost"))
                case Delivery.NEVER:
                    loop.call_later(request.timeout_ns / NS_PER_S, lambda: fail("timeout"))

        loop = asyncio.get_running_loop()

        def fail(reason: str) -> None:
            self._tell(done, HttpFailed(request.id, reason, sent=True))

        def answer(reply: HttpReply) -> None:
            headers = {name.lower(): value for name, value in reply.headers.items()}
            self._tell(done, HttpAnswered(request.id, reply.status, headers, reply.body, venue.clock.now()))

        out.put(reach)

    async def close(self) -> None:
        self._closed = True
        for link in self._links:
            link.close()
        self._links.clear()

    def _tell(self, done: Callable[[HttpAnswered | HttpFailed], None], answer: HttpAnswered | HttpFailed) -> None:
        if not self._closed:
            done(answer)


class _NoLink:
    """A link to an address that nobody has."""

    def __init__(self, events: LinkEvents) -> None:
        self._closed = False
        self._events = events
        asyncio.get_running_loop().call_soon(self._fail)

    def send(self, payload: bytes) -> bool:
        return False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close(self) -> None:
        self._closed = True

    def _fail(self) -> None:
        if not self._closed:
            self._events.link_down("name not found")
