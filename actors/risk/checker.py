"""The risk checker: the only maker of `Approved`, for the whole desk.

Guarantees
- Every check sees every strategy, every venue and every order that is not final; UNKNOWN ones at their worst case.
- What was approved is reserved before the next order is looked at.
- While an operator has halted the desk every new order is denied (`HALTED`), but for what makes a position smaller and
  comes from an operator's `flatten`. The order manager's snapshot says so to each new life.
- It fails closed: without the order manager's snapshot, the venue's instruments, its balances or a quote, and when a
  check of the user raises, the order is denied with a reason.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from actors import names
from actors.messages import (
    AccountReported,
    Approved,
    CheckOrder,
    ControlsChanged,
    DeskSnapshot,
    FillRecorded,
    InstrumentsListed,
    OpenOrdersReported,
    OrderDenied,
    OrderUpdated,
    Quote,
    VenuesChanged,
)
from actors.model.instrument import Instrument
from actors.model.order import OrderSpec, OrderType, Side, Stamps
from actors.risk import CHECKS, DeskState, Proposal, load_checks
from actors.risk.controls import changed_limits, passes_while_halted
from actors.risk.desk_state import ZERO, Claims
from actors.settings import RiskLimits, VenueSettings, read_venues, trading
from runtime.actor import Context, Report, Started, Undelivered
from runtime.errors import ConfigError


class RiskChecker:
    def __init__(self, limits: RiskLimits, venues: Mapping[str, VenueSettings]) -> None:
        self.desk = DeskState()
        self._configured = self._limits = limits
        self._halted = ""
        self._venues = trading(venues)
        self._fees = {name: max(venue.maker_fee, venue.taker_fee) for name, venue in venues.items()}
        self._checks = list((CHECKS | load_checks(limits.checks)).values())
        self._instruments: dict[str, Instrument] = {}
        self._listed: set[str] = set()
        self._funded: set[str] = set()
        """Venues whose whole account is known."""
        self._rebuilding = True
        self._counters: Counter[str] = Counter()

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Quote():
                self.desk.quote(message)
            case CheckOrder():
                self._check(message, ctx)
            case OrderUpdated():
                self.desk.update(message, self._place)
            case FillRecorded():
                self.desk.fill(message)
            case AccountReported():
                self.desk.account(message)
                if message.complete:
                    self._funded.add(message.venue)
            case DeskSnapshot():
                self.desk.begin(message, self._place)
                self._rebuilding = False
                self._control(message.halted, message.limits, ctx)
            case ControlsChanged(halted, limits):
                self._control(halted, limits, ctx)
            case VenuesChanged():
                self._on_venues(read_venues(message.venues), ctx)
            case InstrumentsListed():
                self._listed.add(message.venue)
                self._instruments |= {f"{one.venue}.{one.symbol}": one for one in message.instruments}
            case OpenOrdersReported():
                self.desk.foreign_orders[message.venue] = len(message.orders)
            case Undelivered(message=Approved() as approved):
                self._deny(approved.order, f"ROUTER_UNAVAILABLE: {message.reason}", ctx)
            case Started():
                self._start(ctx)
            case _:
                pass

    def report(self) -> Report:
        desk = self.desk
        return Report(
            counters=dict(self._counters),
            state={
                "rebuilding": self._rebuilding,
                "halted": self._halted,
                "open_orders": desk.open_orders,
                "exposure": format(desk.exposure, "f"),
                "venues_ready": sorted(self._listed & (self._funded if self._limits.check_capital else self._listed)),
            },
        )

    def _start(self, ctx: Context) -> None:
        ctx.subscribe(names.ORDER_MANAGER, "orders.*", "fills.*")
        for name in self._venues:
            self._follow(name, ctx)

    def _follow(self, name: str, ctx: Context) -> None:
        quotes = (f"quote.{name}.{symbol}" for symbol in self._venues[name].symbols)
        ctx.subscribe(names.connector(name), f"venue.{name}", *quotes)

    def _on_venues(self, venues: Mapping[str, VenueSettings], ctx: Context) -> None:
        """What is known of one that is gone is forgotten: should it come again, it has to tell it again."""
        before, self._venues = self._venues, trading(venues)
        self._fees = {name: max(venue.maker_fee, venue.taker_fee) for name, venue in venues.items()}
        gone = before.keys() - self._venues.keys()
        self._listed -= gone
        self._funded -= gone
        for name in self._venues.keys() - before.keys():
            self._follow(name, ctx)

    def _control(self, halted: str, limits: Mapping[str, str], ctx: Context) -> None:
        try:
            self._limits = changed_limits(self._configured, limits)
            self._halted = halted
        except ConfigError as error:  # of another version: nothing passes before somebody has looked
            self._halted = halted or f"a limit that was changed cannot be read: {error}"
            ctx.log.error("limits_unreadable", error=str(error))

    def _check(self, message: CheckOrder, ctx: Context) -> None:
        spec = message.order
        now = ctx.now()
        if now > message.deadline:
            self._deny(spec, "DEADLINE: passed before the check", ctx)
            return
        proposals = self._proposals(spec)
        if isinstance(proposals, str):
            self._deny(spec, proposals, ctx)
            return
        if self._halted and not passes_while_halted(proposals):
            self._deny(spec, f"HALTED: {self._halted}", ctx)
            return
        for proposal in proposals:
            for check in self._checks:
                reason = check(self.desk, self._limits, proposal)
                if reason is not None:
                    self._deny(spec, reason, ctx)
                    return
        claims: Claims = {}
        for proposal in proposals:
            claims |= proposal.claims()
        self.desk.reserve(spec, [proposal.key for proposal in proposals], proposals[0].quantity, claims)
        before = message.stamps
        stamps = Stamps(before.market_recv, before.submitted, before.journaled, now)
        ctx.tell(names.ROUTER, Approved(spec, stamps, message.epoch, message.deadline))
        self._counters["approved"] += 1

    def _deny(self, spec: OrderSpec, reason: str, ctx: Context) -> None:
        self._counters["denied"] += 1
        self._counters["denied_" + reason.partition(":")[0].lower()] += 1
        ctx.tell(names.ORDER_MANAGER, OrderDenied(spec.client_order_id, reason, names.RISK_CHECKER))

    def _proposals(self, spec: OrderSpec) -> list[Proposal] | str:
        """The order at each venue where the router may send it, or why it cannot be judged."""
        if self._rebuilding:
            return "REBUILDING: no snapshot of the desk yet"
        venues = self._candidates(spec)
        if not venues:
            return f"UNKNOWN_INSTRUMENT: {spec.symbol} at no venue"
        proposals = []
        for venue in venues:
            if venue not in self._listed:
                return f"REBUILDING: instruments of {venue} not known yet"
            if self._limits.check_capital and venue not in self._funded:
                return f"REBUILDING: balances at {venue} not known yet"
            key = f"{venue}.{spec.symbol}"
            instrument = self._instruments.get(key)
            if instrument is None:
                return f"UNKNOWN_INSTRUMENT: {key}"
            quantity = _number(spec.quantity)
            price = self._worst_price(spec, key)
            if quantity is None or quantity <= 0:
                return f"INVALID_QUANTITY: {spec.quantity!r}"
            if price is None or price < 0 or (price == 0 and spec.type is OrderType.LIMIT):
                return f"INVALID_PRICE: {spec.price!r}"
            proposals.append(
                Proposal(spec, key, instrument, self.desk.at(key), quantity, price, self._fees.get(venue, ZERO))
            )
        return proposals

    def _candidates(self, spec: OrderSpec) -> Sequence[str]:
        if spec.venue:
            return (spec.venue,)
        return [name for name, venue in self._venues.items() if spec.symbol in venue.symbols]

    def _worst_price(self, spec: OrderSpec, key: str) -> Decimal | None:
        """None for a limit price that is no number; 0 for a market order while there is no quote."""
        if spec.type is OrderType.LIMIT:
            return None if spec.price is None else _number(spec.price)
        exposure = self.desk.at(key)
        if spec.side is Side.BUY:
            return (exposure.ask or exposure.price or ZERO) * (1 + self._limits.price_band)
        return exposure.bid or exposure.price or ZERO

    def _place(self, spec: OrderSpec) -> tuple[Sequence[str], Claims]:
        """For an order that some other life approved."""
        venues = self._candidates(spec)
        claims: Claims = {}
        for venue in venues:
            key = f"{venue}.{spec.symbol}"
            instrument = self._instruments.get(key)
            price = self._worst_price(spec, key)
            if instrument is not None and price is not None:
                fee = self._fees.get(venue, ZERO)
                exposure = self.desk.at(key)
                claims |= Proposal(spec, key, instrument, exposure, Decimal(spec.quantity), price, fee).claims()
        return [f"{venue}.{spec.symbol}" for venue in venues], claims


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
