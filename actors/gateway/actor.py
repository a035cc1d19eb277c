"""The gateway's actor: answers questions from outside, keeps each client's stream, hands commands to the order manager.

Guarantees
- Nothing goes around the order manager and the risk checker: a command becomes the same messages as a strategy's.
- A command is in the order manager's journal, with who gave it, before it is done; who only reads gives none.
- A client owes it nothing: one that vanishes is forgotten after `FORGET_NS`, and nothing else changes.
- While nobody looks it subscribes to nothing, so it costs the other actors nothing.
"""

from collections import Counter
from typing import Any

import msgspec

from actors import names
from actors.feeds import MarketFeeds
from actors.gateway import commands, queries
from actors.gateway.mirror import Mirror
from actors.gateway.operations import Operations, Steps, Until, unavailable
from actors.gateway.requests import PROTOCOL, Answer, Call, Command, Problem, Refusal, refused
from actors.gateway.streams import ClientStream
from actors.messages import (
    CancelOrder,
    DeskSnapshot,
    FillRecorded,
    OperatorActed,
    OperatorAction,
    OperatorRecorded,
    OrderUpdated,
    Quote,
    SubmitOrder,
    VenuesChanged,
)
from actors.model.order_state import OrderState
from actors.settings import Configuration, write_venues
from runtime.actor import ActorDown, ActorUp, Context, Report, Started, Timer, Undelivered
from runtime.address import Address
from runtime.clock import NS_PER_S
from runtime.protocol import SUPERVISOR, Answered, Asked, AskTable, Reconfigure, Reconfigured, TableTold

PATIENCE_NS = 5 * NS_PER_S
"""So long another actor may take to answer."""
FORGET_NS = 60 * NS_PER_S
LOOK_NS = 10 * NS_PER_S

_decoder: msgspec.msgpack.Decoder[Call] = msgspec.msgpack.Decoder(Call)


class Tick(msgspec.Struct, frozen=True):
    """Timer: a deadline has come."""


class ForgetDue(msgspec.Struct, frozen=True):
    """Timer: look for what nobody wants any more."""


class Gateway:
    def __init__(self, configuration: Configuration, started: int = 0) -> None:
        self.configuration = configuration
        self.feeds = MarketFeeds(configuration.venues)
        self.started = started
        self.mirror = Mirror()
        self.streams: dict[str, ClientStream] = {}
        self.table: TableTold | None = None
        self.is_changing = False
        """The configuration is."""
        self.ctx: Context
        self._here: Address | None = None
        self._numbers = 0
        self._recorded: dict[int, OperatorRecorded] = {}
        self._reconfigured: Reconfigured | None = None
        self._reconfiguring = False
        self._undelivered: dict[str, str] = {}
        """Client order id of a cancel → why it did not reach the order manager."""
        self._operations = Operations(self._answer)
        self._timer: tuple[int, Timer] | None = None
        self._desk_wanted = 0
        """When somebody last needed the order manager's news; 0 while it is not subscribed to."""
        self._quotes_wanted: dict[str, int] = {}
        """Instrument → when somebody last needed its quotes."""
        self._looking = False
        self._counters: Counter[str] = Counter()

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Quote():
                self.mirror.quotes[message.instrument] = message
                for stream in self.streams.values():
                    stream.quote(message)
            case OrderUpdated():
                self._on_order(message)
            case FillRecorded():
                self.mirror.fill(message)
                for stream in self.streams.values():
                    stream.fill(message)
            case Asked():
                self._on_asked(message)
            case DeskSnapshot():
                self.mirror.begin(message)
            case OperatorRecorded():
                self._recorded[message.request] = message
                self.mirror.halted, self.mirror.limits = message.halted, dict(message.limits)
            case TableTold():
                self.table = message
            case Reconfigured():
                self._reconfigured = message
            case Undelivered():
                self._on_undelivered(message)
            case ActorUp() if message.address.actor == ctx.name:
                self._here = message.address
            case ActorDown() if message.name == names.ORDER_MANAGER:
                self.mirror.ready = False
            case ForgetDue():
                self._forget()
            case Tick():
                self._timer = None
            case Started():
                self.ctx = ctx
                ctx.watch(ctx.name)
                ctx.watch(names.ORDER_MANAGER)
            case _:
                pass
        if len(self._operations):
            self._operations.go_on(ctx.now())
            self._arm()

    def report(self) -> Report:
        state = {"streams": len(self.streams), "answering": len(self._operations), "halted": self.mirror.halted}
        return Report(dict(self._counters), state)

    # ---- questions and answers

    def _on_asked(self, asked: Asked) -> None:
        try:
            steps = self._steps(asked.payload)
        except Refusal as refusal:
            self._answer(asked.reply_to, asked.number, Answer(None, refusal.problem, refusal.reason))
            return
        self._counters["asked"] += 1
        self._operations.begin(asked.reply_to, asked.number, steps, self.ctx.now())
        self._arm()

    def _steps(self, payload: bytes) -> Steps:
        try:
            call = _decoder.decode(payload)
        except msgspec.DecodeError as error:
            raise refused(f"the desk does not understand this: {error}; it speaks protocol {PROTOCOL}") from None
        if call.protocol != PROTOCOL:
            raise refused(
                f"the client speaks protocol {call.protocol}, the desk {PROTOCOL}: install the same Outcry on both"
            )
        if isinstance(call.request, Command):
            if call.read_only:
                raise refused("this connection only reads (read_only=True)")
            return commands.steps(self, call, call.request)
        return queries.steps(self, call.request)

    def _answer(self, reply_to: Address, number: int, answer: Answer) -> None:
        self.ctx.tell(reply_to, Answered(number, msgspec.msgpack.encode(answer)))

    def _arm(self) -> None:
        deadline = self._operations.next_deadline()
        if deadline is None or (self._timer is not None and self._timer[0] <= deadline):
            return
        if self._timer is not None:
            self._timer[1].cancel()
        self._timer = (deadline, self.ctx.after(max(deadline - self.ctx.now(), 0), Tick()))

    # ---- what operations need

    def within(self, delay_ns: int) -> int:
        return self.ctx.now() + delay_ns

    def synchronised(self) -> Steps:
        """Until the mirror shows what the order manager knows."""
        if not self._desk_wanted:
            self.mirror.ready = False
            self.ctx.subscribe(names.ORDER_MANAGER, "orders.*", "fills.*")
        self._desk_wanted = self.ctx.now()
        self._look_later()
        if not (yield Until(lambda: self.mirror.ready, self.within(PATIENCE_NS))):
            raise unavailable("the order manager does not answer; `outcry doctor` says why")

    def follow_quotes(self, instruments: tuple[str, ...]) -> tuple[str, ...]:
        """Subscribe to what is not yet; returns the instruments that are meant."""
        known = tuple(
            f"{name}.{symbol}" for name, venue in self.configuration.venues.items() for symbol in venue.symbols
        )
        for instrument in instruments:
            if instrument not in known:
                raise refused(f"{instrument}: is not in the configuration; there is {', '.join(known)}")
        for instrument in instruments or known:
            if instrument not in self._quotes_wanted:
                venue, _, symbol = instrument.partition(".")
                self.feeds.read(venue, [symbol], ("quote",), self.ctx)
            self._quotes_wanted[instrument] = self.ctx.now()
        self._look_later()
        return instruments or known

    def recorded(self, call: Call, action: OperatorAction, arguments: dict[str, str]) -> Steps:
        """Until the order manager has written it down and put it in force."""
        self._numbers += 1
        number = self._numbers
        self.ctx.tell(names.ORDER_MANAGER, OperatorActed(call.who, call.client, action, arguments, number))
        self._counters[action.value.lower()] += 1
        if not (yield Until(lambda: number in self._recorded, self.within(PATIENCE_NS))):
            raise unavailable("the order manager has not answered; whether it was done is not known")
        recorded = self._recorded.pop(number)
        if recorded.problem:
            raise refused(recorded.problem)

    def fresh_table(self) -> Steps:
        """The supervisor's table as it is now."""
        if self._here is None:
            raise unavailable("the gateway has only just begun to live; ask again")
        self.table = None
        self.ctx.tell(SUPERVISOR, AskTable(self._here))
        if not (yield Until(lambda: self.table is not None, self.within(PATIENCE_NS))):
            raise unavailable("the supervisor does not answer")
        return self.table

    def reconfigure(self, configuration: Configuration) -> Steps:
        """Until the supervisor has taken it over; one at a time."""
        venues = VenuesChanged(write_venues(configuration.venues))
        if self._here is None or self._reconfiguring:
            raise refused("the desk is just being changed; try again")
        self._reconfiguring, self._reconfigured = True, None
        try:
            if configuration.venues.keys() >= self.configuration.venues.keys():
                self._tell_venues(venues)
            self.ctx.tell(SUPERVISOR, Reconfigure(self._here, configuration.model_dump_json(by_alias=True)))
            if not (yield Until(lambda: self._reconfigured is not None, self.within(PATIENCE_NS))):
                raise unavailable("the supervisor has not answered; `desk.tree()` shows what runs")
        finally:
            self._reconfiguring = False
        problem = self._reconfigured.problem if self._reconfigured is not None else ""
        if problem:
            raise refused(problem)
        self.configuration = configuration
        self.feeds.on_venues(configuration.venues)
        self._tell_venues(venues)

    def _tell_venues(self, venues: VenuesChanged) -> None:
        for name in (names.ORDER_MANAGER, names.RISK_CHECKER, names.ROUTER, names.PORTFOLIO):
            self.ctx.tell(name, venues)

    def submit(self, order: SubmitOrder) -> None:
        self.ctx.tell(names.ORDER_MANAGER, order)

    def cancel(self, client_order_id: str) -> None:
        self._undelivered.pop(client_order_id, None)
        self.ctx.tell(names.ORDER_MANAGER, CancelOrder(client_order_id, ""))

    def not_cancelled(self, client_order_id: str) -> str:
        """Why its cancel did not get to the order manager; "" if it did as far as is known."""
        return self._undelivered.get(client_order_id, "")

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def stream(self, name: str) -> ClientStream:
        stream = self.streams.get(name)
        if stream is None:
            raise Refusal(Problem.NO_STREAM, f"stream {name} is over")
        stream.polled = self.ctx.now()
        return stream

    # ---- the desk's news

    def _on_order(self, update: OrderUpdated) -> None:
        self.mirror.update(update)
        for stream in self.streams.values():
            stream.order(update)

    def _on_undelivered(self, undelivered: Undelivered) -> None:
        match undelivered.message:
            case SubmitOrder(order=order):
                reason = f"UNDELIVERED: {undelivered.reason}"
                self._on_order(OrderUpdated(order, OrderState.DENIED, "0", None, reason, "", self.ctx.now()))
            case CancelOrder(client_order_id=client_order_id):
                self._undelivered[client_order_id] = undelivered.reason
            case OperatorActed(request=request):
                problem = f"not done, the order manager cannot be reached: {undelivered.reason}"
                self._recorded[request] = OperatorRecorded(request, problem, self.mirror.halted, self.mirror.limits)
            case _:
                self._counters["undelivered"] += 1

    def _look_later(self) -> None:
        if not self._looking:
            self._looking = True
            self.ctx.after(LOOK_NS, ForgetDue())

    def _forget(self) -> None:
        """End what nobody has asked for lately."""
        self._looking = False
        now = self.ctx.now()
        for name, stream in list(self.streams.items()):
            if now - stream.polled > FORGET_NS:
                del self.streams[name]
        live = self.streams.values()
        if self._desk_wanted and now - self._desk_wanted > FORGET_NS and not (live or len(self._operations)):
            self.ctx.unsubscribe(names.ORDER_MANAGER, "orders.*", "fills.*")
            self._desk_wanted = 0
            self.mirror.ready = False
        for instrument, wanted in list(self._quotes_wanted.items()):
            if now - wanted > FORGET_NS and not any("quotes" in stream.kinds for stream in live):
                venue, _, symbol = instrument.partition(".")
                self.feeds.leave(venue, [symbol], ("quote",), self.ctx)
                del self._quotes_wanted[instrument]
                self.mirror.quotes.pop(instrument, None)
        self._recorded.clear()
        if self._desk_wanted or self._quotes_wanted or self.streams:
            self._look_later()
