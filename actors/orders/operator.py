"""What operators do, on its way into the journal and into force."""

from collections.abc import Callable
from typing import Any

from actors import names
from actors.messages import (
    NEVER_REFUSED,
    ControlsChanged,
    OperatorActed,
    OperatorAction,
    OperatorRecorded,
    VenuesChanged,
)
from actors.orders.journal import OrderJournal
from actors.orders.ledger import Ledger
from actors.orders.reconciliation import Reconciliation
from actors.orders.records import Record
from actors.settings import VenueSettings, read_venues, trading
from runtime.actor import Context
from runtime.clock import NS_PER_MS
from runtime.errors import Unavailable

RETELL_NS = 50 * NS_PER_MS


class _Retell:
    """Timer: the risk checker has to be told again."""


class Operators:
    """Part of the order manager. An action is written down first; what cannot be written is refused, unless it only
    makes the desk safer. Every order that is submitted after the answer is checked under what was changed.
    """

    def __init__(
        self,
        ledger: Ledger,
        journal: OrderJournal,
        venues: dict[str, VenueSettings],
        by_connector: dict[str, str],
        reconciliation: Reconciliation,
    ) -> None:
        """The last three are the order manager's own and changed here."""
        self._ledger = ledger
        self._journal = journal
        self._venues = venues
        self._by_connector = by_connector
        self._reconciliation = reconciliation
        self.handlers: dict[type, Callable[[Any, Context], object]] = {
            OperatorActed: self._on_acted,
            VenuesChanged: self._on_venues,
            _Retell: lambda _, ctx: self._tell_risk_checker(ctx),
        }

    def undelivered(self, message: object, ctx: Context) -> bool:
        """True if it was ours. A new life of the risk checker hears it with its snapshot, a busy one is told again."""
        if isinstance(message, ControlsChanged):
            ctx.after(RETELL_NS, _Retell())
            return True
        return isinstance(message, OperatorRecorded)

    def _on_acted(self, message: OperatorActed, ctx: Context) -> None:
        controls = self._ledger.controls
        record = Record(ctx.now(), self._ledger.epoch, message)
        is_written = True
        try:
            self._journal.intend(record, ctx)
        except Unavailable as error:
            if message.action not in NEVER_REFUSED:
                refused = OperatorRecorded(message.request, str(error), controls.halted, controls.limits)
                ctx.tell(names.GATEWAY, refused)
                return
            self._journal.note(record, ctx)
            is_written = False
        before = (controls.halted, dict(controls.limits))
        self._ledger.apply(record)
        ctx.log.warning("operator_acted", who=message.who, client=message.client, action=message.action.value)
        if (controls.halted, controls.limits) != before:
            self._tell_risk_checker(ctx)
        recorded = OperatorRecorded(message.request, "", controls.halted, controls.limits)
        if is_written and message.action not in (OperatorAction.CANCEL, OperatorAction.FLATTEN):
            self._journal.follow_up(names.GATEWAY, recorded, ctx)
        else:
            ctx.tell(names.GATEWAY, recorded)

    def _on_venues(self, message: VenuesChanged, ctx: Context) -> None:
        venues = trading(read_venues(message.venues))
        for name in [name for name in self._venues if name not in venues]:
            del self._venues[name], self._by_connector[names.connector(name)]
            self._reconciliation.remove(name)
        for name, settings in venues.items():
            if name not in self._venues:
                self._venues[name] = settings
                self._by_connector[names.connector(name)] = name
                self._reconciliation.add(name)
                ctx.watch(names.connector(name))

    def _tell_risk_checker(self, ctx: Context) -> None:
        controls = self._ledger.controls
        ctx.tell(names.RISK_CHECKER, ControlsChanged(controls.halted, dict(controls.limits), self._ledger.epoch))
