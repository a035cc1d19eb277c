"""What a connector may send: its part of what the venue allows, what the venue has forbidden, and its right to trade.

Who is alone at its address and account asks nobody. Who shares them reports what it spends to the limiter, ahead of
need, and spends what it was lent; nothing waits for an answer. While the venue has banned the address nothing leaves,
cancels neither: they wait here. Who has not heard the supervisor for the time of its lease sends nothing new, lets go
of the venue's dead-man switch and still cancels, until it hears it again.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from actors import names
from actors.connector.desk import DeskTeller
from actors.connector.fence import Fence
from actors.connector.links import VenueLinks
from actors.messages import (
    BudgetUse,
    CancelAtVenue,
    CancelRejected,
    LeasesGranted,
    PlaceOrder,
    SendingForbidden,
    UsesReported,
)
from actors.sharing import Sharing
from actors.venues.contract import DeadManSwitch, Limited, LimitScope, Output, SendFrame, VenueProtocol
from runtime import protocol as runtime_protocol
from runtime.actor import ActorDown, ActorUp, Context, HttpAnswered, HttpFailed, HttpRequest
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.leases import LOOK_NS

ALONE = Sharing()
REPORT_NS = 1 * NS_PER_S
"""The limiter hears so often of one that spends nothing."""
COUNT_NS = 500 * NS_PER_MS
"""After so long in which something waited for a lease, and again after as long, the venue is asked for its count."""
RETRY_NS = 100 * NS_PER_MS
"""A cancel that could not leave is tried again so often."""
SLOW_DOWN = (418, 429)

CarryOut = Callable[[list[Output], Context], None]


class LookAtLeases(msgspec.Struct, frozen=True):
    """To the connector itself: time to see what is needed soon."""


class HeldDue(msgspec.Struct, frozen=True):
    """To the connector itself: time to try the cancels that wait."""


class Gate:
    def __init__(
        self,
        venue: str,
        protocol: VenueProtocol,
        sharing: Sharing,
        fence: Fence,
        desk: DeskTeller,
        carry_out: CarryOut,
    ) -> None:
        self._venue = venue
        self._protocol = protocol
        self._limits = protocol.limits if isinstance(protocol, Limited) else None
        self._scopes = {LimitScope.ADDRESS: sharing.address, LimitScope.ACCOUNT: sharing.account}
        self._holders = {sharing.address: sharing.address_holders, sharing.account: sharing.account_holders}
        self._fence = fence
        self._desk = desk
        self._carry_out = carry_out
        self._links: VenueLinks | None = None
        self._has_limiter = False
        self._reported: list[BudgetUse] = []
        self._reported_at = 0
        self._counted_at = 0
        self._told: dict[tuple[str, str], int] = {}
        """What the limiter knows to be forbidden, until when."""
        self._held: dict[str, CancelAtVenue] = {}
        """Cancels that wait, by client order id, oldest first."""
        self._held_due = False
        self._now = 0
        self.handlers: dict[type, Callable[[Any, Context], None]] = {
            LookAtLeases: self._on_look,
            LeasesGranted: self._on_granted,
            SendingForbidden: self._on_forbidden,
            HeldDue: self._on_held_due,
            ActorUp: self._on_actor_up,
            ActorDown: self._on_actor_down,
        }

    def start(self, links: VenueLinks, ctx: Context) -> None:
        self._links = links
        ctx.watch(runtime_protocol.SUPERVISOR)
        if self._limits is None:
            return
        ctx.watch(names.LIMITER)
        self._share(ctx.now())
        ctx.after(self._every_ns(), LookAtLeases())

    def report(self) -> dict[str, Any]:
        state: dict[str, Any] = {"right_to_trade": self._fence.lapsed} if self._fence.lapsed else {}
        if self._limits is None:
            return state
        forbidden = [{"what": what, "until": until} for _, what, until in self._limits.forbidden(self._now)]
        waiting = [name for _, name, bucket in self._limits.leased() if bucket.is_waiting]
        state |= {"forbidden": forbidden} if forbidden else {}
        state |= {"waits_for_lease": waiting} if waiting else {}
        return state | ({"cancels_held": len(self._held)} if self._held else {})

    # ---- what may leave

    def banned_for(self, now: int) -> int:
        return self._limits.banned_for(now) if self._limits is not None else 0

    def send(self, frame: SendFrame, ctx: Context) -> None:
        """A frame, unless it would break a ban. Market data has addresses of its own."""
        banned = self.banned_for(ctx.now()) > 0 and self._links is not None and self._links.is_for_commands(frame.link)
        if banned or not ctx.send_frame(frame.link, frame.payload):
            self._carry_out(self._protocol.on_not_sent(frame, ctx.now()), ctx)

    def request(self, request: HttpRequest, ctx: Context) -> None:
        """Make it, or let it fail unsent while nothing may be sent."""
        banned = self.banned_for(ctx.now())
        if banned:
            ctx.after(
                min(banned, NS_PER_S), HttpFailed(request.id, "BANNED: the venue answers nobody here", sent=False)
            )
        else:
            ctx.request(request)

    def heard(self, answer: HttpAnswered | HttpFailed, ctx: Context) -> None:
        """After the protocol has: what the venue forbids is told to the others at once."""
        if isinstance(answer, HttpAnswered) and answer.status in SLOW_DOWN:
            self._tell_forbidden(ctx)

    def keep_cancels(
        self, commands: Sequence[CancelAtVenue | PlaceOrder], outputs: list[Output], ctx: Context
    ) -> list[Output]:
        """`outputs` without the refusal of cancels that only have to wait; those are kept here until they may leave."""
        limited = {
            output.client_order_id
            for output in outputs
            if isinstance(output, CancelRejected) and output.code == "RATE_LIMITED"
        }
        if not limited:
            return outputs
        for command in commands:
            if isinstance(command, CancelAtVenue) and command.client_order_id in limited:
                self._held[command.client_order_id] = command
        if not self._held_due:
            self._held_due = True
            ctx.after(max(self.banned_for(ctx.now()), RETRY_NS), HeldDue())
        return [output for output in outputs if getattr(output, "client_order_id", "") not in limited]

    def _on_held_due(self, _: HeldDue, ctx: Context) -> None:
        self._held_due = False
        now, held, self._held = ctx.now(), self._held, {}
        for command in held.values():
            if self._held:
                self._held[command.client_order_id] = command
            elif command.epoch >= self._fence.epoch:
                self._carry_out(self.keep_cancels([command], self._protocol.execute(command, now), ctx), ctx)

    # ---- what is shared

    def _every_ns(self) -> int:
        return LOOK_NS if max(self._holders.values()) > 1 else REPORT_NS

    def _share(self, now: int) -> None:
        assert self._limits is not None
        for scope, name in self._scopes.items():
            self._limits.share(scope, self._holders[name], now)
        if self._links is not None:
            self._links.share_with(self._holders[self._scopes[LimitScope.ADDRESS]])

    def _on_look(self, look: LookAtLeases, ctx: Context) -> None:
        assert self._limits is not None
        now = self._now = ctx.now()
        self._tell_forbidden(ctx)
        ctx.after(self._every_ns(), look)
        if not self._has_limiter:
            return
        self._count_again(now, ctx)
        uses = [
            BudgetUse(self._scopes[scope], name, bucket.look(now))
            for scope, name, bucket in self._limits.leased()
            if self._scopes[scope]
        ]
        if uses != self._reported or now - self._reported_at >= REPORT_NS:
            self._reported, self._reported_at = uses, now
            scopes = {name: self._holders[name] for name in self._scopes.values() if name}
            ctx.tell(names.LIMITER, UsesReported(ctx.name, ctx.incarnation, scopes, uses))

    def _count_again(self, now: int, ctx: Context) -> None:
        """What somebody held who has died is free when the venue has counted again."""
        assert isinstance(self._protocol, Limited)
        waits = max((bucket.waits_ns(now) for _, _, bucket in self._limits.leased()), default=0) if self._limits else 0
        if waits >= COUNT_NS and now - self._counted_at >= COUNT_NS:
            self._counted_at = now
            self._carry_out(self._protocol.count_again(now), ctx)

    def _on_granted(self, granted: LeasesGranted, ctx: Context) -> None:
        assert self._limits is not None
        self._holders.update({scope: holders for scope, holders in granted.scopes.items() if scope in self._holders})
        if granted.scopes:
            self._share(ctx.now())
        buckets = {(self._scopes[scope], name): bucket for scope, name, bucket in self._limits.leased()}
        for row in granted.leases:
            if (bucket := buckets.get((row.scope, row.limit))) is not None:
                bucket.put(row.lease, ctx.now())

    def _on_forbidden(self, message: SendingForbidden, ctx: Context) -> None:
        assert self._limits is not None
        self._told[message.scope, message.what] = message.until
        self._limits.forbid(message.what, message.until)
        self._now = ctx.now()
        ctx.log.warning("sending_forbidden", venue=self._venue, what=message.what, told=message.connector)

    def _tell_forbidden(self, ctx: Context) -> None:
        assert self._limits is not None
        self._now = ctx.now()
        for scope, what, until in self._limits.forbidden(self._now):
            name = self._scopes[scope]
            if until > self._told.get((name, what), 0) and name and self._has_limiter:
                self._told[name, what] = until
                ctx.tell(names.LIMITER, SendingForbidden(name, what, until, ctx.name))

    # ---- others

    def _on_actor_up(self, up: ActorUp, ctx: Context) -> None:
        match up.address.actor:
            case names.LIMITER:
                self._has_limiter, self._reported_at, self._told = True, 0, {}
            case runtime_protocol.SUPERVISOR:
                self._set_lapsed("", ctx)
            case _:
                self._desk.on_actor_up(up, ctx)

    def _on_actor_down(self, down: ActorDown, ctx: Context) -> None:
        match down.name:
            case names.LIMITER:
                self._has_limiter = False
            case runtime_protocol.SUPERVISOR:
                self._set_lapsed(f"the supervisor {down.reason}", ctx)
            case _:
                self._desk.on_actor_down(down, ctx)

    def _set_lapsed(self, reason: str, ctx: Context) -> None:
        if bool(reason) == bool(self._fence.lapsed):
            return
        self._fence.lapsed = reason
        if reason:
            ctx.log.error("right_to_trade_lapsed", venue=self._venue, reason=reason)
        else:
            ctx.log.info("right_to_trade_back", venue=self._venue)
        if isinstance(self._protocol, DeadManSwitch):
            self._carry_out(self._protocol.hold_switch(not reason, ctx.now()), ctx)
