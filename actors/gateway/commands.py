"""What an operator may do: each step goes the way that a strategy's would, after it was written down who wants it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from actors.gateway import reconfiguring, resharding
from actors.gateway.cancelling import DONE_NS, all_done, cancelled, still_open
from actors.gateway.closing import Closing, closings
from actors.gateway.mirror import plain_order, plain_position
from actors.gateway.operations import Steps, Until
from actors.gateway.requests import (
    AddStrategy,
    AddVenue,
    Call,
    Cancel,
    ChangeLimit,
    Flatten,
    Halt,
    MoveSymbol,
    RemoveStrategy,
    RemoveVenue,
    Resume,
    SetShards,
    Submit,
    refused,
)
from actors.messages import OperatorAction, SubmitOrder
from actors.model.order import OrderSpec, OrderType, Side, Stamps, TimeInForce
from actors.model.order_id import order_id
from actors.model.order_state import OrderState
from actors.risk.controls import changed_limits
from actors.strategy.amount import wire_amount
from runtime.clock import NS_PER_S
from runtime.errors import ConfigError

if TYPE_CHECKING:
    from actors.gateway.actor import Gateway

OPERATOR = "@operator"
"""Whose orders and positions these are; no strategy of a configuration can be called so."""
ANSWER_NS = 5 * NS_PER_S
ROUNDS = 3
"""A market order may leave a rest; `flatten` tries so often."""


RECONFIGURING = (AddStrategy, RemoveStrategy, AddVenue, RemoveVenue, SetShards, MoveSymbol)


def steps(gateway: "Gateway", call: Call, command: Any) -> Steps:
    made = COMMANDS[type(command)](gateway, call, command)
    return _alone(gateway, made) if isinstance(command, RECONFIGURING) else made


def _alone(gateway: "Gateway", made: Steps) -> Steps:
    """What changes the configuration goes on from what it was at the beginning: one after the other."""
    if gateway.is_changing:
        raise refused("the desk is just being changed; try again")
    gateway.is_changing = True
    try:
        return (yield from made)
    finally:
        gateway.is_changing = False


def _submit(gateway: "Gateway", call: Call, command: Submit) -> Steps:
    spec = _spec(gateway, command)
    yield from gateway.synchronised()
    arguments = {"instrument": command.instrument, "side": spec.side.value, "quantity": spec.quantity}
    arguments |= {"price": spec.price or "", "client_order_id": spec.client_order_id}
    yield from gateway.recorded(call, OperatorAction.SUBMIT, arguments)
    now = gateway.ctx.now()
    gateway.submit(SubmitOrder(spec, Stamps(submitted=now)))
    ends_at_once = spec.type is OrderType.MARKET or spec.time_in_force is not TimeInForce.GTC
    yield Until(lambda: gateway.mirror.is_answered(spec.client_order_id, done=ends_at_once), gateway.within(ANSWER_NS))
    update = gateway.mirror.order(spec.client_order_id)
    if update is not None:
        return plain_order(update)
    return {"client_order_id": spec.client_order_id, "state": OrderState.PENDING.value, "reason": "no news of it yet"}


def _cancel(gateway: "Gateway", call: Call, command: Cancel) -> Steps:
    yield from gateway.synchronised()
    client_order_id = command.client_order_id
    if client_order_id not in gateway.mirror.open:
        done = gateway.mirror.order(client_order_id)
        raise refused(f"{client_order_id}: " + (f"is {done.state.value} already" if done else "no such order is open"))
    yield from gateway.recorded(call, OperatorAction.CANCEL, {"client_order_id": client_order_id})
    yield from cancelled(gateway, [client_order_id])
    update = gateway.mirror.order(client_order_id)
    return plain_order(update) if update is not None else {"client_order_id": client_order_id, "state": "UNKNOWN"}


def _flatten(gateway: "Gateway", call: Call, command: Flatten) -> Steps:
    yield from gateway.synchronised()
    mirror, instruments = gateway.mirror, command.instruments
    yield from gateway.recorded(call, OperatorAction.FLATTEN, {"instruments": " ".join(instruments)})
    chosen = [
        client_order_id
        for client_order_id, update in mirror.open.items()
        if not instruments or f"{update.order.venue}.{update.order.symbol}" in instruments or not update.order.venue
    ]
    yield from cancelled(gateway, chosen)
    not_cancelled = [plain_order(mirror.open[one]) for one in still_open(gateway, chosen)]
    count = sum(one not in mirror.open for one in chosen)
    orders: list[dict[str, Any]] = []
    for _ in range(ROUNDS):
        specs = [_closing_spec(gateway, closing) for closing in closings(mirror.by_strategy, instruments)]
        for spec in specs:
            gateway.submit(SubmitOrder(spec, Stamps(submitted=gateway.ctx.now())))
        done = [spec.client_order_id for spec in specs]
        yield Until(lambda done=done: all_done(gateway, done), gateway.within(DONE_NS))  # type: ignore[misc]
        updates = [update for one in done if (update := mirror.order(one)) is not None]
        orders += [plain_order(update) for update in updates]
        # Of one whose outcome is unknown nothing may be closed again: it may still fill.
        if not all_done(gateway, done) or not any(update.filled_quantity.strip("0.") for update in updates):
            break
    left = [
        plain_position(instrument, position)
        for instrument, position in mirror.positions.items()
        if position.quantity and (not instruments or instrument in instruments)
    ]
    return {"cancelled": count, "open": not_cancelled, "orders": orders, "positions": left}


def _halt(gateway: "Gateway", call: Call, command: Halt) -> Steps:
    yield from gateway.recorded(call, OperatorAction.HALT, {"reason": command.reason})
    return {"halted": gateway.mirror.halted}


def _resume(gateway: "Gateway", call: Call, _: Resume) -> Steps:
    yield from gateway.synchronised()
    if not gateway.mirror.halted:
        raise refused("the desk is not halted")
    yield from gateway.recorded(call, OperatorAction.RESUME, {})
    return {"halted": gateway.mirror.halted}


def _change_limit(gateway: "Gateway", call: Call, command: ChangeLimit) -> Steps:
    yield from gateway.synchronised()
    try:
        changed_limits(gateway.configuration.risk, {**gateway.mirror.limits, command.name: command.value})
    except ConfigError as error:
        raise refused(str(error)) from None
    arguments = {"name": command.name, "value": command.value}
    yield from gateway.recorded(call, OperatorAction.CHANGE_LIMIT, arguments)
    limits = changed_limits(gateway.configuration.risk, gateway.mirror.limits)
    return {"halted": gateway.mirror.halted, "changed": gateway.mirror.limits, **limits.model_dump(mode="json")}


COMMANDS: dict[type, Callable[["Gateway", Call, Any], Steps]] = {
    AddStrategy: reconfiguring.add_strategy,
    RemoveStrategy: reconfiguring.remove_strategy,
    AddVenue: reconfiguring.add_venue,
    RemoveVenue: reconfiguring.remove_venue,
    SetShards: resharding.set_shards,
    MoveSymbol: resharding.move_symbol,
    Submit: _submit,
    Cancel: _cancel,
    Flatten: _flatten,
    Halt: _halt,
    Resume: _resume,
    ChangeLimit: _change_limit,
}


def _spec(gateway: "Gateway", command: Submit) -> OrderSpec:
    venues = {name: venue for name, venue in gateway.configuration.venues.items() if venue.credentials is not None}
    known = [f"{name}.{symbol}" for name, venue in venues.items() for symbol in venue.symbols]
    venue, _, symbol = command.instrument.rpartition(".")
    if command.instrument not in known and not (not venue and any(one.rpartition(".")[2] == symbol for one in known)):
        raise refused(f"{command.instrument}: cannot be traded here; there is {', '.join(known)}")
    try:
        side, time_in_force = Side(command.side), TimeInForce(command.time_in_force)
        quantity = wire_amount("quantity", command.quantity)
        price = None if command.price is None else wire_amount("price", command.price)
    except (TypeError, ValueError) as error:
        raise refused(str(error)) from None
    if price is None and command.post_only:
        raise refused("a market order takes liquidity: post_only needs a price")
    return OrderSpec(
        client_order_id=_id(gateway, OPERATOR),
        strategy=OPERATOR,
        venue=venue,
        symbol=symbol,
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=quantity,
        price=price,
        time_in_force=time_in_force,
        post_only=command.post_only,
    )


def _closing_spec(gateway: "Gateway", closing: Closing) -> OrderSpec:
    venue, _, symbol = closing.instrument.partition(".")
    return OrderSpec(
        client_order_id=_id(gateway, closing.strategy),
        strategy=closing.strategy,
        venue=venue,
        symbol=symbol,
        side=closing.side,
        type=OrderType.MARKET,
        quantity=format(closing.quantity, "f"),
        reduce_only=True,
    )


def _id(gateway: "Gateway", strategy: str) -> str:
    ctx = gateway.ctx
    return order_id(ctx.incarnation, ctx.name, strategy, ctx.now(), gateway.next_number())
