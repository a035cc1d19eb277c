"""A running desk as an object: what it looks like as frames, its live stream, and everything an operator may do."""

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import msgspec

from actors.desk import tables
from actors.desk.errors import CommandRefused, StreamOver
from actors.desk.frames import Columns, Rows, frame
from actors.desk.stream import Stream
from actors.desk.way import Way
from actors.gateway.requests import (
    PROTOCOL,
    AddStrategy,
    AddVenue,
    Answer,
    AnyRequest,
    Call,
    Cancel,
    ChangeLimit,
    Command,
    Flatten,
    GetLimits,
    GetOrders,
    GetPositions,
    GetQuotes,
    GetTable,
    Halt,
    MoveSymbol,
    Problem,
    RemoveStrategy,
    RemoveVenue,
    Resume,
    SetShards,
    Submit,
)
from actors.strategy.amount import Amount, wire_amount
from runtime.asking import ConnectionLost, NotDelivered
from runtime.clock import NS_PER_S, WallClock
from runtime.errors import Unavailable

ANSWER_S = 15.0
FLATTEN_S = 60.0
START_S = 60.0
MOVE_S = 240.0
AGAIN_S = 0.1

_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


class Desk:
    """Made by `connect`. May be used from several threads; closing it, or the end of this process, stops nothing.

    Every command goes the way of a strategy's: the order manager writes down who gave it, the risk checker judges each
    order. What only looks is asked again while the desk's gateway is being restarted, for `timeout_s` in all; a command
    is never sent twice: `Unavailable` then says that its outcome is not known. A refusal is `CommandRefused`.
    """

    def __init__(
        self, way: Way, who: str, client: str, *, read_only: bool, library: str, timeout_s: float = ANSWER_S
    ) -> None:
        self.name = way.run
        """Of the run."""
        self.who = who
        """`user@host`, as it is written into the journal."""
        self.client = client
        self.read_only = read_only
        self._way = way
        self._library = library
        self._timeout_s = timeout_s
        self._clock = WallClock()

    def __enter__(self) -> "Desk":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<desk {self.name}, {'read only, ' if self.read_only else ''}as {self.who} ({self.client})>"

    def close(self) -> None:
        """End this connection; the desk goes on."""
        self._way.close()

    # ---- what it looks like

    def status(self) -> Any:
        """One row for each actor: its state, process, life, restarts, and how its mailbox does."""
        return self._frame(tables.actor_rows(self._table()), tables.ACTORS)

    def tree(self) -> Any:
        """The supervision tree, one row for each node of it: the supervisor, its hosts, their actors."""
        return self._frame(tables.tree_rows(self._table()), tables.TREE)

    def venues(self) -> Any:
        """One row for each venue: whether it is connected, and what went wrong so far."""
        return self._frame(tables.venue_rows(self._table()), tables.VENUES)

    def latency(self) -> Any:
        """One row for each venue and stage on the way of an order, in microseconds; venue "" is the whole desk."""
        return self._frame(tables.latency_rows(self._table()), tables.LATENCY)

    def positions(self) -> Any:
        """One row for each instrument that was ever traded. Base quantity is signed; fees are not deducted."""
        return self._frame(self._ask(GetPositions()), tables.POSITIONS)

    def orders(self) -> Any:
        """One row for each open order of the whole desk, those of which the outcome is unknown included."""
        return self._frame(self._ask(GetOrders()), tables.ORDERS)

    def quotes(self, *instruments: str) -> Any:
        """The last best bid and ask of these instruments, or of all; none for one that has no quote yet."""
        return self._frame(self._ask(GetQuotes(instruments)), tables.QUOTES)

    def limits(self) -> dict[str, Any]:
        """The risk limits in force, which of them were `changed` while it runs, and by whom it is `halted`."""
        limits: dict[str, Any] = self._ask(GetLimits())
        return limits

    def info(self) -> dict[str, Any]:
        """Everything that `outcry status --json` prints, and `halted` and `limits`, as plain data."""
        return dict(self._table())

    def stream(self, *kinds: str, instruments: tuple[str, ...] | list[str] = ()) -> Stream:
        """Live events, by default all of `quotes`, `orders` and `fills`: `for event in desk.stream("fills"): …`

        Also for `async for`. It begins with what comes now, and with the last quotes.
        """
        return Stream(self._ask, kinds or ("quotes", "orders", "fills"), tuple(instruments))

    # ---- operating it

    def buy(
        self,
        instrument: str,
        quantity: Amount,
        price: Amount | None = None,
        *,
        time_in_force: str = "GTC",
        post_only: bool = False,
    ) -> dict[str, Any]:
        """Send an order, without a price at the market; the venue may be left to the router ("BTCUSDT").

        Returns the order when it was accepted, filled or refused, or as it is after five seconds: `state` DENIED is the
        desk's own no, REJECTED the venue's, and `reason` says why. Amounts are Decimal, str or int.
        """
        return self._submit("BUY", instrument, quantity, price, time_in_force, post_only)

    def sell(
        self,
        instrument: str,
        quantity: Amount,
        price: Amount | None = None,
        *,
        time_in_force: str = "GTC",
        post_only: bool = False,
    ) -> dict[str, Any]:
        """As `buy`."""
        return self._submit("SELL", instrument, quantity, price, time_in_force, post_only)

    def cancel(self, client_order_id: str) -> dict[str, Any]:
        """Cancel any open order of the desk; returns it when it is done, or as it is after ten seconds."""
        order: dict[str, Any] = self._ask(Cancel(client_order_id), ANSWER_S)
        return order

    def flatten(self, *instruments: str) -> dict[str, Any]:
        """Cancel all open orders, or those of these instruments, then close the positions at the market.

        It closes what the desk holds in all; a closing order belongs to the strategy whose position it is. It does not
        keep strategies from trading on: `halt` first if they should not, closing goes even so. Returns how many orders
        were `cancelled`, which are still `open`, the closing `orders`, and the `positions` that are left.
        """
        done: dict[str, Any] = self._ask(Flatten(instruments), FLATTEN_S)
        return done

    def halt(self, reason: str = "") -> dict[str, Any]:
        """The risk checker refuses every order that is submitted from now on; cancels and `flatten` still go.

        It stays so until `resume`, whatever is restarted meanwhile: the order manager has it in its journal.
        """
        halted: dict[str, Any] = self._ask(Halt(reason))
        return halted

    def resume(self) -> dict[str, Any]:
        """End a halt."""
        halted: dict[str, Any] = self._ask(Resume())
        return halted

    def set_limit(self, name: str, value: Amount | bool) -> dict[str, Any]:
        """Change a risk limit: `max_exposure`, `max_position.binance.BTCUSDT`, … as the configuration calls it.

        It holds for every order submitted from now on, until the run ends. Returns the limits in force.
        """
        text = str(value).lower() if isinstance(value, bool) else wire_amount(name, value)
        limits: dict[str, Any] = self._ask(ChangeLimit(name, text))
        return limits

    def add_strategy(
        self, name: str, class_: str, instruments: Sequence[str], parameters: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Start a strategy in a process of its own, as if the configuration had named it.

        `class_` is module:Class, found where the run was started. Returns when it is ready; one that cannot start is
        taken away again. It is restarted as the others are, until the run ends.
        """
        settings = {"class": class_, "instruments": list(instruments), "parameters": dict(parameters or {})}
        added: dict[str, Any] = self._ask(AddStrategy(name, settings), START_S)
        return added

    def remove_strategy(self, name: str) -> dict[str, Any]:
        """Let a strategy stop as at the end of a run, and wait until it is gone. What it holds stays on the desk."""
        removed: dict[str, Any] = self._ask(RemoveStrategy(name), START_S)
        return removed

    def add_venue(self, name: str, kind: str, symbols: Sequence[str], **settings: Any) -> dict[str, Any]:
        """Connect to another venue, as if the configuration had named it; `settings` are the other keys of a venue.

        Secrets are references that are read where the desk runs: `credentials={"key": "env:KEY", "secret": …}`.
        Returns when it is `connected`, or after half a minute what keeps it from that; then it goes on trying.
        """
        document = {"kind": kind, "symbols": list(symbols), **settings}
        added: dict[str, Any] = self._ask(AddVenue(name, document), START_S)
        return added

    def remove_venue(self, name: str) -> dict[str, Any]:
        """Leave a venue at which no order is open and that no strategy uses. What is held there stays on the desk."""
        removed: dict[str, Any] = self._ask(RemoveVenue(name), START_S)
        return removed

    def set_shards(self, venue: str, shards: int) -> dict[str, Any]:
        """Share the venue's symbols out over so many connectors, while everything goes on.

        The new one of each symbol is read beside the old one before that lets go: no event is lost and none comes
        twice. Returns who has what then; refused, and all as it was, if somebody does not follow within a minute.
        """
        shared: dict[str, Any] = self._ask(SetShards(venue, shards), MOVE_S)
        return shared

    def move_symbol(self, instrument: str, shard: int) -> dict[str, Any]:
        """The same for one symbol, e.g. to a connector on another machine; it stays on that shard."""
        shared: dict[str, Any] = self._ask(MoveSymbol(instrument, shard), MOVE_S)
        return shared

    # ---- asking

    def _submit(
        self,
        side: str,
        instrument: str,
        quantity: Amount,
        price: Amount | None,
        time_in_force: str,
        post_only: bool,
    ) -> dict[str, Any]:
        order: dict[str, Any] = self._ask(
            Submit(
                side,
                instrument,
                wire_amount("quantity", quantity),
                None if price is None else wire_amount("price", price),
                time_in_force,
                post_only,
            )
        )
        return order

    def _frame(self, rows: Rows, columns: Columns) -> Any:
        return frame(rows, columns, self._library)

    def _table(self) -> Mapping[str, Any]:
        table: Mapping[str, Any] = self._ask(GetTable())
        return table

    def _ask(self, request: AnyRequest, timeout_s: float | None = None) -> Any:
        is_command = isinstance(request, Command)
        if is_command and self.read_only:
            raise CommandRefused(f"{type(request).__name__.lower()}: this connection only reads (read_only=True)")
        payload = msgspec.msgpack.encode(Call(PROTOCOL, self.who, self.client, self.read_only, request))
        patience_s = timeout_s or self._timeout_s
        end = self._clock.now() + round(patience_s * NS_PER_S)
        while True:
            try:
                return _value(_answers.decode(self._way.ask(payload, patience_s)))
            except (StreamOver, ConnectionLost):
                raise
            except Unavailable as error:
                again = isinstance(error, NotDelivered) or not is_command
                if not again or self._clock.now() > end:
                    raise
            time.sleep(AGAIN_S)


def _value(answer: Answer) -> Any:
    match answer.problem:
        case None:
            return answer.value
        case Problem.REFUSED:
            raise CommandRefused(answer.reason)
        case Problem.UNAVAILABLE:
            raise Unavailable(answer.reason)
        case Problem.NO_STREAM:
            raise StreamOver(answer.reason)
