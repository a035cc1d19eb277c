"""The WebSockets that a connector keeps open: which are up, when the next opening is due, which have gone silent."""

from collections.abc import Callable
from enum import Enum

import msgspec

from actors.venues.contract import ConnectLimit
from runtime.actor import Context
from runtime.backoff import Backoff
from runtime.clock import NS_PER_S
from runtime.message import Lane
from runtime.pacing import TokenBucket

STEADY_NS = 10 * NS_PER_S
"""A link that stayed up for so long is retried without delay again."""

CONNECT_NS = 5 * NS_PER_S
"""So much later than it was begun an opening may reach the venue, which counts it only then."""


class LinkState(Enum):
    OPENING = "OPENING"
    UP = "UP"
    DOWN = "DOWN"
    """Opened again when its backoff is over."""


class ReopenDue(msgspec.Struct, frozen=True):
    """To the connector itself: the backoff of this link is over."""

    link: str


class CheckLinks(msgspec.Struct, frozen=True):
    """To the connector itself: time to look for silent links."""


class WatchDue(msgspec.Struct, frozen=True):
    """To the connector itself: time for the protocol to look for links that it has to do without."""


class VenueLink:
    __slots__ = ("attempts", "lane", "last_heard", "state", "up_since", "url")

    def __init__(self, url: str, lane: Lane) -> None:
        self.url = url
        self.lane = lane
        self.state = LinkState.DOWN
        self.attempts = 0
        """Retries since it last was steady."""
        self.up_since = 0
        self.last_heard = 0


class VenueLinks:
    """Links by name. A name that was never opened, or was closed on purpose, is unknown and stays closed."""

    def __init__(
        self,
        stale_after_ns: int,
        backoff: Backoff,
        limit: ConnectLimit | None = None,
        banned_for: Callable[[int], int] = lambda now: 0,
    ) -> None:
        """`banned_for` says for how long nothing may be opened."""
        self._stale_after_ns = stale_after_ns
        self._backoff = backoff
        self._connects = TokenBucket(limit.attempts, limit.window_ns + CONNECT_NS) if limit else None
        self._limit = limit
        self._banned_for = banned_for
        self._links: dict[str, VenueLink] = {}
        self.closings = 0
        """While this stays the same, so do the links that are up."""
        self.reconnects = 0
        self.held_back = 0
        """Openings that had to wait for the venue's limit."""

    def share_with(self, holders: int) -> None:
        """So many connect from this address, this one included: each has its part of the venue's limit."""
        if self._connects and self._limit:
            self._connects.limit = max(self._limit.attempts // holders, 1)

    def is_for_commands(self, name: str) -> bool:
        link = self._links.get(name)
        return link is not None and link.lane is Lane.COMMANDS

    def states(self) -> dict[str, str]:
        return {name: link.state.value for name, link in self._links.items()}

    def heard_at(self) -> dict[str, int]:
        """Each link that is up → when something was heard over it last."""
        return {name: link.last_heard for name, link in self._links.items() if link.state is LinkState.UP}

    def has(self, name: str) -> bool:
        return name in self._links

    def is_closed(self, name: str) -> bool:
        """Neither open nor opening."""
        link = self._links.get(name)
        return link is None or link.state is LinkState.DOWN

    def heard(self, name: str, ts_recv: int) -> bool:
        """Note a frame. False for market data that was still queued when its link went down: it continues nothing."""
        link = self._links.get(name)
        if link is None:
            return False
        if link.state is LinkState.UP:
            link.last_heard = ts_recv
            return True
        return link.lane is not Lane.FEED

    def open(self, name: str, url: str, lane: Lane, ctx: Context) -> None:
        """Open a link that is new; one that waits for its backoff only learns the address."""
        link = self._links.get(name)
        if link is None:
            self._links[name] = VenueLink(url, lane)
            self._open_or_wait(name, ctx)
        else:
            link.url, link.lane = url, lane

    def forget(self, name: str, ctx: Context) -> None:
        if self._links.pop(name, None):
            self.closings += 1
            ctx.close_link(name)

    def on_up(self, name: str, now: int) -> bool:
        """False for a link that is not being opened."""
        link = self._links.get(name)
        if link is None or link.state is not LinkState.OPENING:
            return False
        link.state = LinkState.UP
        link.up_since = link.last_heard = now
        return True

    def on_down(self, name: str, ctx: Context) -> bool:
        """Set its next opening. False for a link that is down already."""
        link = self._links.get(name)
        if link is None or link.state is LinkState.DOWN:
            return False
        if link.state is LinkState.UP and ctx.now() - link.up_since >= STEADY_NS:
            link.attempts = 0
        link.state = LinkState.DOWN
        self.closings += 1
        ctx.after(self._backoff.delay(link.attempts, ctx.random), ReopenDue(name))
        link.attempts += 1
        return True

    def reopen(self, name: str, ctx: Context) -> None:
        link = self._links.get(name)
        if link is not None and link.state is LinkState.DOWN:
            self._open_or_wait(name, ctx)

    def silent(self, now: int) -> list[str]:
        """Links without a frame for too long, and those that do not get open."""
        return [
            name
            for name, link in self._links.items()
            if link.state is not LinkState.DOWN and now - link.last_heard > self._stale_after_ns
        ]

    def _open_or_wait(self, name: str, ctx: Context) -> None:
        link = self._links[name]
        now = ctx.now()
        wait = self._banned_for(now) or (self._connects.take(1, 0, now) if self._connects else 0)
        if wait:
            self.held_back += 1
            ctx.after(wait, ReopenDue(name))
            return
        if link.attempts:
            self.reconnects += 1
        link.state = LinkState.OPENING
        link.last_heard = ctx.now()
        ctx.open_link(name, link.url, link.lane)
