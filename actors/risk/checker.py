"""The risk checker: the only maker of `Approved`, for the whole desk.

Guarantees
- Every check sees every strategy, every venue and every order that is not final; UNKNOWN ones at their worst case.
- What was approved is reserved before the next order is looked at.
- The orders of a list are approved together or not at all; of a pair that excludes one another the larger counts.
- A change of an open order is checked as the order that it becomes, and against exposure and capital for what it adds;
  the larger of before and after is reserved until the order manager tells what became of it. One that only makes the
  order smaller is always approved, as a cancel is.
- An order manager that was replaced gets nothing approved any more.
- While an operator has halted the desk every new order, list and change is denied (`HALTED`), but for a change that
  only makes an order smaller, and for what makes a position smaller and comes from an operator's `flatten`. The order
  manager's snapshot says so to each new life.
- It fails closed: without the order manager's snapshot, the venue's instruments, its balances or a quote, and when a
  check of the user raises, the order is denied with a reason.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from actors import names
from actors.feeds import MarketFeeds
from actors.messages import (
    AccountReported,
    Approved,
    ApprovedChange,
    ApprovedList,
    CheckChange,
    CheckOrder,
    CheckOrderList,
    ControlsChanged,
    DeskSnapshot,
    FeedsMoved,
    FillRecorded,
    InstrumentsListed,
    OpenOrdersReported,
    OrderRehearsed,
    OrderUpdated,
    Quote,
    VenuesChanged,
)
from actors.model.instrument import Instrument
from actors.model.order import WITH_PRICE, OrderSpec, Side, Stamps
from actors.risk import CHECKS, DeskState, Proposal, load_checks
from actors.risk.controls import changed_limits, passes_while_halted
from actors.risk.desk_state import ZERO, Claims
from actors.settings import RiskLimits, VenueSettings, read_venues, trading
from actors.venues.refusals import Asked, deny
from runtime.actor import Context, Report, Started, Undelivered
from runtime.errors import ConfigError


class RiskChecker:
    def __init__(self, limits: RiskLimits, venues: Mapping[str, VenueSettings]) -> None:
        self.desk = DeskState()
        self._configured = self._limits = limits
        self._halted = ""
        self._venues = trading(venues)
        self._feeds = MarketFeeds(venues)
        self._fees = {name: max(venue.maker_fee, venue.taker_fee) for name, venue in venues.items()}
        self._checks = list((CHECKS | load_checks(limits.checks)).values())
        self._instruments: dict[str, Instrument] = {}
        self._listed: set[str] = set()
        self._funded: set[str] = set()
        """Venues whose whole account is known."""
        self._rebuilding = True
        self._epoch = 0
        """Of the newest order manager heard of."""
        self._counters: Counter[str] = Counter()

    def receive(self, message: Any, ctx: Context) -> None:
        match message:
            case Quote():
                self.desk.quote(message)
            case CheckOrder():
                self._check(message, ctx)
            case OrderRehearsed():
                self._rehearse(message, ctx)
            case CheckChange():
                self._check_change(message, ctx)
            case CheckOrderList():
                self._check_list(message, ctx)
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
                self._control(message, ctx)
            case ControlsChanged():
                self._control(message, ctx)
            case VenuesChanged():
                self._on_venues(read_venues(message.venues), ctx)
            case InstrumentsListed():
                self._listed.add(message.venue)
                self._instruments |= {f"{one.venue}.{one.symbol}": one for one in message.instruments}
            case OpenOrdersReported():
                self.desk.foreign_orders[message.venue] = len(message.orders)
            case FeedsMoved():
                self._feeds.on_moved(message, ctx)
            case Undelivered(message=(Approved() | ApprovedChange() | ApprovedList()) as approved):
                self._deny(approved, f"ROUTER_UNAVAILABLE: {message.reason}", ctx)
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
        self._feeds.read_venue(name, self._venues[name].symbols, ctx)

    def _on_venues(self, venues: Mapping[str, VenueSettings], ctx: Context) -> None:
        """What is known of one that is gone is forgotten: should it come again, it has to tell it again."""
        before, self._venues = self._venues, trading(venues)
        self._feeds.on_venues(venues)
        self._fees = {name: max(venue.maker_fee, venue.taker_fee) for name, venue in venues.items()}
        gone = before.keys() - self._venues.keys()
        self._listed -= gone
        self._funded -= gone
        for name in self._venues.keys() - before.keys():
            self._follow(name, ctx)

    def _control(self, message: DeskSnapshot | ControlsChanged, ctx: Context) -> None:
        if message.epoch < self._epoch:
            return  # an operator has spoken to a later order manager
        self._epoch = message.epoch
        try:
            self._limits = changed_limits(self._configured, message.limits)
            self._halted = message.halted
        except ConfigError as error:  # of another version: nothing passes before somebody has looked
            self._halted = message.halted or f"a limit that was changed cannot be read: {error}"
            ctx.log.error("limits_unreadable", error=str(error))

    def _check(self, message: CheckOrder, ctx: Context) -> None:
        spec = message.order
        now = ctx.now()
        if reason := self._outdated(message, now):
            self._deny(message, reason, ctx)
            return
        proposals = self._judge(spec)
        if isinstance(proposals, str):
            self._deny(message, proposals, ctx)
            return
        claims = _claims(proposals)
        self.desk.reserve(spec, [proposal.key for proposal in proposals], proposals[0].quantity, claims)
        before = message.stamps
        stamps = Stamps(before.market_recv, before.submitted, before.journaled, now)
        ctx.tell(names.ROUTER, Approved(spec, stamps, message.epoch, message.deadline, ctx.incarnation))
        self._counters["approved"] += 1

    def _outdated(self, message: CheckOrder | CheckChange | CheckOrderList, now: int) -> str | None:
        """Why it has come too late to be looked at."""
        if now > message.deadline:
            return "DEADLINE: passed before the check"
        if message.epoch < self._epoch:
            return f"STALE_EPOCH: sent in epoch {message.epoch}, the present one is {self._epoch}"
        return None

    def _judge(self, spec: OrderSpec) -> list[Proposal] | str:
        """The order at each venue where the router may send it, or the first reason why it must not go."""
        proposals = self._proposals(spec)
        if isinstance(proposals, str):
            return proposals
        if self._halted and not passes_while_halted(proposals):
            return f"HALTED: {self._halted}"
        for proposal in proposals:
            for check in self._checks:
                reason = check(self.desk, self._limits, proposal)
                if reason is not None:
                    return reason
        return proposals

    def _rehearse(self, message: OrderRehearsed, ctx: Context) -> None:
        """Judge it and claim nothing; the way goes on whatever the judgement."""
        proposals = self._judge(message.order)
        if not isinstance(proposals, str):
            _claims(proposals)
        ctx.tell(names.ROUTER, message)

    def _check_change(self, message: CheckChange, ctx: Context) -> None:
        now = ctx.now()
        if outdated := self._outdated(message, now):
            self._deny(message, outdated, ctx)
            return
        if not _only_smaller(message):
            reason = f"HALTED: {self._halted}" if self._halted else self._object_to_change(message)
            if reason is not None:
                self._deny(message, reason, ctx)
                return
        before = message.stamps
        stamps = Stamps(before.market_recv, before.submitted, before.journaled, now)
        ctx.tell(names.ROUTER, ApprovedChange(msgspec.structs.replace(message, stamps=stamps), ctx.incarnation))
        self._counters["changes_approved"] += 1

    def _object_to_change(self, message: CheckChange) -> str | None:
        """Reserves what the order may become, or says why it must not."""
        before, after, filled = message.before, message.order, Decimal(message.filled)
        found, old = self._proposals(after), self._proposals(before)
        if isinstance(found, str):
            return found
        if isinstance(old, str):
            return old
        if before.client_order_id not in self.desk.open:
            return f"NOT_OPEN: {before.client_order_id} is over"
        [proposal], [was] = found, old
        held = was.quantity - filled
        is_in_place = after.client_order_id == before.client_order_id
        leaves = proposal.quantity - filled if is_in_place else proposal.quantity
        proposal = msgspec.structs.replace(
            proposal,
            leaves=leaves,
            added=max(ZERO, leaves - held),
            before=before.client_order_id,
            claimed=msgspec.structs.replace(was, leaves=held).claims(),
        )
        for check in self._checks:
            reason = check(self.desk, self._limits, proposal)
            if reason is not None:
                return reason
        if is_in_place:
            self.desk.reserve_change(before.client_order_id, leaves, proposal.claims())
        else:
            self.desk.reserve(after, [proposal.key], leaves, proposal.claims())
        return None

    def _check_list(self, message: CheckOrderList, ctx: Context) -> None:
        """One after another, each with what those before it hold; all of them or none."""
        now, before = ctx.now(), message.stamps
        reason = self._outdated(message, now) or (f"HALTED: {self._halted}" if self._halted else None)
        reserved: list[Proposal] = []
        for spec in message.orders:
            reason = reason or self._object_in_list(spec, reserved)
        if reason is not None:
            for proposal in reserved:
                self.desk.withdraw(proposal.spec.client_order_id)
            self._deny(message, reason, ctx)
            return
        stamps = Stamps(before.market_recv, before.submitted, before.journaled, now)
        ctx.tell(names.ROUTER, ApprovedList(msgspec.structs.replace(message, stamps=stamps), ctx.incarnation))
        self._counters["lists_approved"] += 1

    def _object_in_list(self, spec: OrderSpec, reserved: list[Proposal]) -> str | None:
        """Reserves what this order adds to the orders of its list before it, or says why it must not go."""
        found = self._proposals(spec)
        if isinstance(found, str):
            return found
        [proposal] = found
        pair = [other for other in reserved if spec.exclusive and other.spec.exclusive]
        held = max((other.leaves for other in pair), default=ZERO)
        claimed: Claims = {}
        for other in pair or reserved:
            claimed |= msgspec.structs.replace(other, claimed={}).claims() if pair else other.brings()
        proposal = msgspec.structs.replace(proposal, added=max(ZERO, proposal.leaves - held), claimed=claimed)
        for check in self._checks:
            reason = check(self.desk, self._limits, proposal)
            if reason is not None:
                return reason
        self.desk.reserve(spec, [proposal.key], proposal.leaves, proposal.claims())
        reserved.append(proposal)
        return None

    def _deny(self, asked: Asked, reason: str, ctx: Context) -> None:
        self._counters["denied"] += 1
        self._counters["denied_" + reason.partition(":")[0].lower()] += 1
        for denial in deny(asked, reason, names.RISK_CHECKER):
            ctx.tell(names.ORDER_MANAGER, denial)

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
            if spec.stop_price is not None and ((stop := _number(spec.stop_price)) is None or stop <= 0):
                return f"INVALID_PRICE: {spec.stop_price!r} to be triggered at"
            if price is None or price < 0 or (price == 0 and spec.type in WITH_PRICE):
                return f"INVALID_PRICE: {spec.price!r}"
            proposals.append(
                Proposal(
                    spec,
                    key,
                    instrument,
                    self.desk.at(key),
                    quantity,
                    price,
                    self._fees.get(venue, ZERO),
                    quantity,
                    quantity,
                )
            )
        return proposals

    def _candidates(self, spec: OrderSpec) -> Sequence[str]:
        if spec.venue:
            return (spec.venue,)
        return [name for name, venue in self._venues.items() if spec.symbol in venue.symbols]

    def _worst_price(self, spec: OrderSpec, key: str) -> Decimal | None:
        """None for a limit price that is no number; 0 for a market order while there is no quote."""
        if spec.type in WITH_PRICE:
            return None if spec.price is None else _number(spec.price)
        if spec.stop_price is not None:
            stop = _number(spec.stop_price)
            return stop if stop is None or spec.side is Side.SELL else stop * (1 + self._limits.price_band)
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
                quantity = Decimal(spec.quantity)
                proposal = Proposal(spec, key, instrument, exposure, quantity, price, fee, quantity, quantity)
                claims |= proposal.claims()
        return [f"{venue}.{spec.symbol}" for venue in venues], claims


def _claims(proposals: Sequence[Proposal]) -> Claims:
    claims: Claims = {}
    for proposal in proposals:
        claims |= proposal.claims()
    return claims


def _only_smaller(change: CheckChange) -> bool:
    """Where it is, at the same price: the desk holds less afterwards whatever else is true."""
    before, after = change.before, change.order
    is_in_place = (before.client_order_id, before.price) == (after.client_order_id, after.price)
    return is_in_place and Decimal(after.quantity) < Decimal(before.quantity)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
