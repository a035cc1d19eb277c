"""The limiter: divides what a venue allows one address or one account among the connectors that share it.

Leases are handed out in bulk, ahead of need, and what a venue forbids to one connector is told to all others at once.
Nothing waits for it in normal operation. Its state is soft: each connector reports all that it knows, so the next life
goes on from there; meanwhile connectors live on their leases, then on the share that is always theirs.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from actors.messages import BudgetLease, LeasesGranted, SendingForbidden, UsesReported
from actors.sharing import LANES
from runtime.actor import ActorDown, Context, Report
from runtime.clock import NS_PER_S
from runtime.leases import Pool, next_turn

SERIALS_PER_LIFE = 1 << 32

Budget = tuple[str, str]
"""(scope, limit)."""


class TurnDue(msgspec.Struct, frozen=True):
    """To the limiter itself: the window of a budget has changed."""

    window_ns: int


class Limiter:
    def __init__(self) -> None:
        self._pools: dict[Budget, Pool] = {}
        self._members: dict[str, UsesReported] = {}
        """Connector → what its present life reported last."""
        self._forbidden: dict[tuple[str, str], SendingForbidden] = {}
        self._turns: set[int] = set()
        self._now = 0
        self._counters: Counter[str] = Counter(leases=0, forbidden=0)

    def receive(self, message: Any, ctx: Context) -> None:
        self._now = ctx.now()
        match message:
            case UsesReported():
                self._on_uses(message, ctx)
            case SendingForbidden():
                self._on_forbidden(message, ctx)
            case TurnDue(window_ns):
                self._turns.discard(window_ns)
                self._arm(window_ns, ctx)
                self._serve([budget for budget, pool in self._pools.items() if pool.window_ns == window_ns], ctx)
            case ActorDown(name, incarnation):
                self._gone(name, incarnation)
            case _:
                pass

    def report(self) -> Report:
        budgets = {
            f"{scope}: {limit}": {
                "limit": pool.limit,
                "holders": pool.holders,
                "left": pool.left(self._now),
                "used_by_others": pool.foreign(self._now),
                "waiting": [name.partition("#")[0] for name in pool.waiting()],
            }
            for (scope, limit), pool in self._pools.items()
        }
        forbidden = [
            {"scope": scope, "what": what, "until": known.until, "told": known.connector}
            for (scope, what), known in self._forbidden.items()
            if known.until > self._now
        ]
        return Report(dict(self._counters), {"budgets": budgets, "forbidden": forbidden})

    def _on_uses(self, report: UsesReported, ctx: Context) -> None:
        known = self._members.get(report.connector)
        if known is None or known.life < report.life:
            if known is None:
                ctx.watch(report.connector)
            else:
                self._gone(report.connector, known.life)
            for forbidden in self._forbidden.values():
                if forbidden.until > self._now and forbidden.scope in report.scopes:
                    ctx.tell(report.connector, forbidden)
        elif known.life > report.life:
            return
        self._members[report.connector] = report
        name = f"{report.connector}#{report.life}"
        for row in report.uses:
            budget = (row.scope, row.limit)
            pool = self._pools.get(budget)
            if pool is None:
                pool = self._pools[budget] = Pool(LANES, self._now, ctx.incarnation * SERIALS_PER_LIFE)
            pool.heard(name, row.use, report.scopes[row.scope], self._now)
            self._arm(pool.window_ns, ctx)
        self._tell_holders(report.scopes, ctx)
        self._serve([(row.scope, row.limit) for row in report.uses], ctx)

    def _tell_holders(self, scopes: Iterable[str], ctx: Context) -> None:
        for scope in scopes:
            known = max((member.scopes.get(scope, 0) for member in self._members.values()), default=1)
            holders = max(known, sum(scope in member.scopes for member in self._members.values()))
            for name, member in self._members.items():
                if member.scopes.get(scope, holders) != holders:
                    ctx.tell(name, LeasesGranted({scope: holders}, []))

    def _serve(self, budgets: Iterable[Budget], ctx: Context) -> None:
        granted: dict[str, list[BudgetLease]] = {}
        for scope, limit in budgets:
            for name, lease in self._pools[scope, limit].serve(self._now):
                granted.setdefault(name.partition("#")[0], []).append(BudgetLease(scope, limit, lease))
        for name, leases in granted.items():
            self._counters["leases"] += len(leases)
            ctx.tell(name, LeasesGranted({}, leases))

    def _on_forbidden(self, message: SendingForbidden, ctx: Context) -> None:
        key = (message.scope, message.what)
        known = self._forbidden.get(key)
        if known is not None and known.until >= message.until:
            return
        self._forbidden[key] = message
        self._counters["forbidden"] += 1
        seconds = (message.until - self._now) / NS_PER_S
        ctx.log.warning(
            "sending_forbidden", scope=message.scope, what=message.what, seconds=seconds, told=message.connector
        )
        for name, member in self._members.items():
            if name != message.connector and message.scope in member.scopes:
                ctx.tell(name, message)

    def _gone(self, name: str, life: int) -> None:
        for pool in self._pools.values():
            pool.gone(f"{name}#{life}", self._now)

    def _arm(self, window_ns: int, ctx: Context) -> None:
        if window_ns not in self._turns:
            self._turns.add(window_ns)
            ctx.after(next_turn(self._now, window_ns) - self._now, TurnDue(window_ns))
