"""A connector on a bench: a scripted protocol, a context that records, and a few messages."""

from collections.abc import Sequence
from typing import Any

from actors.connector.actor import Connector
from actors.connector.gate import ALONE
from actors.messages import (
    BookInvalidated,
    BookSnapshot,
    CancelAtVenue,
    InstrumentsListed,
    PlaceOrder,
    Quote,
)
from actors.model.instrument import Instrument
from actors.model.order import OrderSpec, OrderType, Side, Stamps
from actors.sharing import Sharing
from actors.venues.contract import (
    Change,
    Command,
    ConnectLimit,
    OpenLink,
    Output,
    SendFrame,
)
from runtime.actor import (
    ActorUp,
    FramesReceived,
    HttpAnswered,
    HttpFailed,
    LinkUp,
    Started,
)
from runtime.address import Address, StreamKind
from runtime.backoff import Backoff
from runtime.message import Lane
from tests.support.context import RecordingContext

S = 1_000_000_000
NOW = 1_700_000_000_000_000_000
ID = "0123456789abcdef0123456789abcdef"

FEED = OpenLink("feed", "wss://venue/stream", Lane.FEED)
ORDERS = OpenLink("orders", "wss://venue/orders", Lane.COMMANDS)
QUOTE = Quote("venue", "BTC", "1", "2", "3", "4", 0, NOW)
SNAPSHOT = BookSnapshot("venue", "BTC", 7, [("1", "2")], [("3", "4")], 0, NOW)
LOST = BookInvalidated("venue", "BTC", "GAP: for a test", NOW)
LISTED = InstrumentsListed("venue", [Instrument("venue", "BTC", "BTC", "USD")])


class ScriptedProtocol:
    """Answers with what the test put into `next`, and records what it was told."""

    def __init__(self, symbols: Sequence[str] = ("BTC",), connect_limit: ConnectLimit | None = None) -> None:
        self.symbols = symbols
        self.connect_limit = connect_limit
        self.next: list[Output] = []
        self.calls: list[tuple[Any, ...]] = []
        self.books: dict[str, BookSnapshot | BookInvalidated] = {}

    def _answer(self, *call: Any) -> list[Output]:
        self.calls.append(call)
        outputs, self.next = self.next, []
        return outputs

    def start(self, now: int) -> list[Output]:
        return [FEED, ORDERS]

    def on_link_up(self, link: str, now: int) -> list[Output]:
        return self._answer("up", link)

    def on_link_down(self, link: str, reason: str, now: int) -> list[Output]:
        return self._answer("down", link, reason)

    def on_frame(self, link: str, payload: bytes, ts_recv: int) -> list[Output]:
        return self._answer("frame", link, payload)

    def on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        return self._answer("http", answer.id)

    def on_wake_up(self, tag: str, now: int) -> list[Output]:
        return self._answer("wake up", tag)

    def execute(self, command: Command, now: int) -> list[Output]:
        return self._answer("execute", command)

    def change(self, command: Change, now: int) -> list[Output]:
        return self._answer("change", command)

    def on_not_sent(self, frame: SendFrame, now: int) -> list[Output]:
        return self._answer("not sent", frame.payload)

    def book(self, symbol: str) -> BookSnapshot | BookInvalidated | None:
        return self.books.get(symbol)

    def follow(self, kind: str, symbol: str, now: int) -> list[Output]:
        return self._answer("follow", kind, symbol)

    def unfollow(self, kind: str, symbol: str, now: int) -> list[Output]:
        return self._answer("unfollow", kind, symbol)

    def report(self, final: bool) -> dict[str, Any]:
        return {"books": {}, "unknown_symbols": [], "final": final}


class Bench:
    """A started connector with both links up."""

    def __init__(
        self,
        symbols: Sequence[str] = ("BTC",),
        connect_limit: ConnectLimit | None = None,
        protocol: ScriptedProtocol | None = None,
        sharing: Sharing = ALONE,
    ) -> None:
        self.protocol = protocol or ScriptedProtocol(symbols, connect_limit)
        self.ctx = RecordingContext("connector.venue", time=NOW)
        self.connector = Connector("venue", self.protocol, 60 * S, Backoff(S, 8 * S), sharing=sharing)
        self.tell(Started())
        for link in ("feed", "orders"):
            self.ctx.links_up.add(link)
            self.tell(LinkUp(link))
        self.protocol.calls.clear()

    def tell(self, message: Any, *outputs: Output) -> None:
        """Hand it a message, with what its protocol shall answer."""
        self.protocol.next = list(outputs)
        self.connector.receive(message, self.ctx)

    def frame(self, *outputs: Output, link: str = "feed") -> None:
        self.tell(FramesReceived(link, [b"frame"], self.ctx.time), *outputs)

    def pass_time(self, duration_ns: int) -> None:
        self.ctx.time += duration_ns
        for message in self.ctx.due():
            self.tell(message)

    def counter(self, name: str) -> int:
        return self.connector.report().counters[name]

    @property
    def links(self) -> dict[str, str]:
        links: dict[str, str] = self.connector.report().state["links"]
        return links


def place(epoch: int = 1, deadline: int = NOW + S) -> PlaceOrder:
    order = OrderSpec(ID, "maker", "venue", "BTC", Side.BUY, OrderType.LIMIT, "1", "100")
    return PlaceOrder(order, Stamps(market_recv=5), epoch, deadline)


def cancel(epoch: int = 1, deadline: int = NOW + S) -> CancelAtVenue:
    return CancelAtVenue(ID, "", "BTC", epoch, deadline)


def actor_up(name: str) -> ActorUp:
    return ActorUp(Address(name, 1, StreamKind.UNIX, "/x"))
