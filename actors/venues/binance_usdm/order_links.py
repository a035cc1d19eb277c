"""The links to the WebSocket API of USD-M: what is sent over them, logged on or signed, and when one is replaced.

With an Ed25519 key a link logs on once and its requests need no signature of their own; an HMAC key signs each. A link
that will be cut off, by the venue's announcement or its limit of 24 hours, is replaced before: the next one is opened
and made ready while the present one works on, new requests then go over the next one, and the old one is closed when
what was asked over it has been answered. Source: https://developers.binance.com/docs/derivatives/
usds-margined-futures/websocket-api-general-info.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from actors.venues.binance_api.clock import VenueClock
from actors.venues.binance_api.requests import LogOn, PendingRequests, Request
from actors.venues.binance_api.signing import Signer
from actors.venues.binance_usdm.order_requests import Call, Parameters
from actors.venues.contract import CloseLink, OpenLink, Output, SendFrame, WakeUp
from runtime.clock import NS_PER_S
from runtime.message import Lane

FIRST = "orders"
PROBE_ID = "probe"
TIMEOUTS, LOG_ON = "timeouts", "log-on"
RENEW, DRAINED = "renew-orders:", "drained:"
"""Tags of wake-ups; the name of a link follows the last two."""
LIFE_NS = 23 * 3600 * NS_PER_S + 1800 * NS_PER_S
"""After so long a link is replaced; the venue cuts it off after 24 hours."""
RETRY_NS = 5 * NS_PER_S
"""Until a refused logon is tried again."""

C = TypeVar("C")


class _Link(Generic[C]):
    def __init__(self, name: str, timeout_ns: int) -> None:
        self.name = name
        self.pending: PendingRequests[C | LogOn] = PendingRequests(timeout_ns)
        self.is_up = False
        self.is_logged_on = False
        self.up_since = 0


class OrderLinks(Generic[C]):
    """Called `orders`, `orders.1`, `orders.2`, …; `C` is what may be asked over them."""

    def __init__(
        self,
        url: str,
        signer: Signer,
        clock: VenueClock,
        symbols: Sequence[str],
        *,
        recv_window_ms: int,
        timeout_ns: int,
    ) -> None:
        self._url = url
        self._signer = signer
        self._clock = clock
        self._recv_window_ms = recv_window_ms
        self.timeout_ns = timeout_ns
        self._present: _Link[C] = _Link(FIRST, timeout_ns)
        self._next: _Link[C] | None = None
        self._old: _Link[C] | None = None
        self._generation = 0
        self._timer_set = False
        self._probe = msgspec.json.encode({"id": PROBE_ID, "method": "ticker.price", "params": {"symbol": symbols[0]}})
        self.problem = ""
        """Why the venue refused a logon."""

    @property
    def name(self) -> str:
        """Of the link that orders go over."""
        return self._present.name

    @property
    def is_ready(self) -> bool:
        return self._is_ready(self._present)

    def _is_ready(self, link: _Link[C]) -> bool:
        return link.is_up and (link.is_logged_on or not self._signer.can_log_on)

    def has(self, name: str) -> bool:
        return self._find(name) is not None

    def _find(self, name: str) -> _Link[C] | None:
        return next((link for link in self._all() if link.name == name), None)

    def _all(self) -> list[_Link[C]]:
        return [link for link in (self._present, self._next, self._old) if link is not None]

    # ---- their lives ---------------------------------------------------------------------------------------------

    def open(self) -> list[Output]:
        return [OpenLink(self._present.name, self._url, Lane.COMMANDS)]

    def on_up(self, name: str, now: int) -> list[Output]:
        link = self._find(name)
        if link is None:
            return []
        link.is_up, link.up_since = True, now
        return [*self.log_on(now), WakeUp(LIFE_NS, RENEW + name), *self._switch()]

    def on_down(self, name: str) -> tuple[list[C], list[Output]]:
        """What was asked over it and will not be answered."""
        link = self._find(name)
        if link is None:
            return [], []
        link.is_up = link.is_logged_on = False
        lost = _commands(link.pending.drop_all())
        return lost, self._close_old() if link is self._old else []

    def log_on(self, now: int) -> list[Output]:
        """Every link that can and has not yet: the venue's time has to be known for it."""
        if not self._signer.can_log_on or not self._clock.is_known:
            return []
        return [
            output
            for link in self._all()
            if link.is_up and not link.is_logged_on and link is not self._old and not link.pending.has(LogOn)
            for output in self._send(link, LogOn(), "session.logon", {}, now)
        ]

    def on_logon(self, name: str, refusal: str) -> list[Output]:
        """The answer; `refusal` is "" if it was accepted."""
        link = self._find(name)
        self.problem = refusal
        if refusal:
            return [WakeUp(RETRY_NS, LOG_ON)]
        if link is not None:
            link.is_logged_on = True
        return self._switch()

    def on_logged_out(self, name: str, now: int) -> list[Output]:
        """The venue does not know the session any longer."""
        link = self._find(name)
        if link is None or not link.is_logged_on:
            return []
        link.is_logged_on = False
        return self.log_on(now)

    def replace(self) -> list[Output]:
        """Open the next one; the present one goes on until that one is ready."""
        if self._next is not None:
            return []
        self._generation += 1
        self._next = _Link(f"{FIRST}.{self._generation}", self.timeout_ns)
        return [OpenLink(self._next.name, self._url, Lane.COMMANDS)]

    def _switch(self) -> list[Output]:
        """As soon as the next one is ready, and nobody waits for answers over an earlier one any longer."""
        if self._next is None or self._old is not None or not self._is_ready(self._next):
            return []
        self._old, self._present, self._next = self._present, self._next, None
        return [WakeUp(2 * self.timeout_ns, DRAINED + self._old.name)]

    def _close_old(self) -> list[Output]:
        if self._old is None:
            return []
        name, self._old = self._old.name, None
        return [CloseLink(name), *self._switch()]

    def on_wake_up(self, tag: str, now: int) -> list[Output] | None:
        """None for a tag that is not of here; `TIMEOUTS` is asked about by `expire`."""
        kind, colon, name = tag.partition(":")
        match kind + colon:
            case "renew-orders:":
                is_due = name == self._present.name and now - self._present.up_since >= LIFE_NS
                return self.replace() if is_due else []
            case "drained:":
                return self._close_old() if self._old is not None and self._old.name == name else []
            case "log-on":
                return self.log_on(now)
            case _:
                return None

    def probe(self) -> list[Output]:
        """A request that is answered at once: shows that a quiet link is alive."""
        return [SendFrame(link.name, self._probe) for link in (self._present, self._next) if link and link.is_up]

    # ---- requests ------------------------------------------------------------------------------------------------

    def send(self, command: C, call: Call, now: int) -> list[Output]:
        return self._send(self._present, command, call.name, call.parameters, now)

    def _send(self, link: _Link[C], command: C | LogOn, method: str, parameters: Parameters, now: int) -> list[Output]:
        id = link.pending.next_id()
        stamped: Parameters = {
            **parameters,
            "recvWindow": self._recv_window_ms,
            "timestamp": self._clock.timestamp_ms(now),
        }
        sent = stamped if link.is_logged_on else self._signer.sign_parameters(stamped)
        payload = msgspec.json.encode({"id": id, "method": method, "params": sent})
        link.pending.add(Request(id, command, now, now + self.timeout_ns, payload))
        return [SendFrame(link.name, payload), *self.set_timer(now)]

    def take(self, name: str, id: int | str | None) -> Request[C | LogOn] | None:
        """The request that this is the answer to."""
        link = self._find(name)
        return link.pending.take(id) if link else None

    def take_unsent(self, frame: SendFrame) -> C | None:
        """What certainly did not leave."""
        link = self._find(frame.link)
        request = link.pending.take_unsent(frame.payload) if link else None
        return None if request is None or isinstance(request.command, LogOn) else request.command

    def expire(self, now: int) -> list[C]:
        """What has waited for its answer for too long."""
        self._timer_set = False
        return [command for link in self._all() for command in _commands(list(link.pending.expire(now)))]

    def set_timer(self, now: int) -> list[Output]:
        deadlines = [due for link in self._all() if (due := link.pending.next_deadline()) is not None]
        if self._timer_set or not deadlines:
            return []
        self._timer_set = True
        return [WakeUp(max(min(deadlines) - now, 0), TIMEOUTS)]


def _commands(requests: list[Request[C | LogOn]]) -> list[C]:
    return [request.command for request in requests if not isinstance(request.command, LogOn)]
