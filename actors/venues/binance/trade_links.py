"""Orders over Binance's WebSocket API without an interruption: a link that will be cut off is replaced before.

The next one is opened and subscribed while the present one works on. New commands then go over the next one; the old
one is closed when what was asked over it has been answered. The account's events come over both meanwhile, each is
told once.
"""

from collections.abc import Callable

from actors.venues.binance.trade_link import EventSeam, TradeLink
from actors.venues.contract import Change, CloseLink, Command, Output, SendFrame, WakeUp
from runtime.clock import NS_PER_S

FIRST = "orders"
RENEW, DRAINED = "renew-orders:", "drained:"
"""Tags of wake-ups; the name of a link follows."""
LIFE_NS = 23 * 3600 * NS_PER_S + 1800 * NS_PER_S
"""After so long a link is replaced; the venue cuts it off after 24 hours."""

Make = Callable[[str, EventSeam], TradeLink]
"""Makes the link of a name."""


class TradeLinks:
    """Links are called `orders`, `orders.1`, `orders.2`, …"""

    def __init__(self, make: Make, drain_ns: int) -> None:
        """`drain_ns`: by then everything has been answered or has timed out."""
        self._make = make
        self._drain_ns = drain_ns
        self._seam = EventSeam()
        self._present = make(FIRST, self._seam)
        self._next: TradeLink | None = None
        self._old: TradeLink | None = None
        self._generation = 0

    @property
    def is_subscribed(self) -> bool:
        return self._present.is_subscribed

    @property
    def name(self) -> str:
        """Of the link that orders go over."""
        return self._present.name

    @property
    def problem(self) -> str:
        return self._present.problem

    def has(self, name: str) -> bool:
        return self._find(name) is not None

    def _find(self, name: str) -> TradeLink | None:
        links = (self._present, self._next, self._old)
        return next((link for link in links if link is not None and link.name == name), None)

    # ---- links ---------------------------------------------------------------------------------------------------

    def open(self) -> list[Output]:
        return self._present.open()

    def on_link_up(self, name: str, now: int) -> list[Output]:
        link = self._find(name)
        return [*link.on_link_up(now), WakeUp(LIFE_NS, RENEW + name)] if link else []

    def on_link_down(self, name: str, reason: str, now: int) -> list[Output]:
        link = self._find(name)
        if link is None:
            return []
        if link is self._old:
            return [*link.on_link_down(reason, now), *self._close_old()]
        return link.on_link_down(reason, now)

    def probe(self, now: int) -> list[Output]:
        return [output for link in (self._present, self._next) if link for output in link.probe(now)]

    def on_wake_up(self, tag: str, now: int) -> list[Output] | None:
        """None for a tag that is not of here."""
        kind, colon, name = tag.partition(":")
        if kind + colon == RENEW:
            is_due = name == self._present.name and now - self._present.up_since >= LIFE_NS
            return self._replace() if is_due else []
        if kind + colon == DRAINED:
            if self._old is None or self._old.name != name:
                return []
            return [*self._old.on_link_down("REPLACED", now), *self._close_old()]
        if kind not in TradeLink.TAGS or (colon and not name.startswith(FIRST)):
            return None
        link = self._find(name or FIRST)
        return self._and_switch(link.on_wake_up(kind, now), now) if link else []

    def _replace(self) -> list[Output]:
        if self._next is not None:
            return []
        self._generation += 1
        self._next = self._make(f"{FIRST}.{self._generation}", self._seam)
        self._seam.begin()
        return self._next.open()

    def _and_switch(self, outputs: list[Output], now: int) -> list[Output]:
        """What a step brought, and the next link in place of the present one as soon as it is ready."""
        if self._next is None or not self._next.is_subscribed:
            return outputs
        old, self._present, self._next = self._present, self._next, None
        closed = self._close_old()
        self._old = old
        return [*outputs, *closed, WakeUp(self._drain_ns, DRAINED + old.name)]

    def _close_old(self) -> list[Output]:
        if self._old is None:
            return []
        name, self._old = self._old.name, None
        self._seam.end()
        return [CloseLink(name)]

    # ---- frames and commands -------------------------------------------------------------------------------------

    def on_frame(self, name: str, payload: bytes, ts_recv: int) -> list[Output]:
        link = self._find(name)
        if link is None:
            return []
        outputs = link.on_frame(payload, ts_recv)
        if link.is_ending:
            link.is_ending = False
            outputs = outputs + self._replace() if link is self._present else outputs
        return self._and_switch(outputs, ts_recv) if self._next is not None else outputs

    def execute(self, command: Command | Change, now: int) -> list[Output]:
        return self._present.execute(command, now)

    def on_not_sent(self, frame: SendFrame, now: int) -> list[Output]:
        link = self._find(frame.link)
        return link.on_not_sent(frame.payload, now) if link else []
