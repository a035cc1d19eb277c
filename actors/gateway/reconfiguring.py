"""Adding and removing while the desk runs: the configuration changes, and the supervisor makes it so."""

from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import ValidationError

from actors import names, status
from actors.gateway.cancelling import cancelled
from actors.gateway.operations import Steps, Until
from actors.gateway.requests import AddStrategy, AddVenue, Call, RemoveStrategy, RemoveVenue, refused
from actors.messages import OperatorAction
from actors.placing import without_venue
from actors.settings import Configuration
from runtime.clock import NS_PER_MS, NS_PER_S
from runtime.protocol import ActorRow
from runtime.supervision.table import ChildState

if TYPE_CHECKING:
    from actors.gateway.actor import Gateway

READY_NS = 30 * NS_PER_S
"""A process of its own, and what the strategy imports."""
LOOK_NS = 100 * NS_PER_MS


def add_strategy(gateway: "Gateway", call: Call, command: AddStrategy) -> Steps:
    present = gateway.configuration
    if command.name in present.strategies:
        raise refused(f"strategies.{command.name}: there is one called so already")
    document = present.model_dump(mode="json", by_alias=True)
    document["strategies"] = {**document["strategies"], command.name: command.settings}
    configuration = checked(document)
    instruments = [f"{name}.{symbol}" for name, venue in present.venues.items() for symbol in venue.symbols]
    for instrument in configuration.strategies[command.name].instruments:
        if instrument not in instruments:
            raise refused(
                f"strategies.{command.name}.instruments: {instrument} is not in the configuration; "
                f"there is {', '.join(instruments)}"
            )
    arguments = {"add_strategy": command.name, "settings": msgspec.json.encode(command.settings).decode()}
    yield from gateway.recorded(call, OperatorAction.RECONFIGURE, arguments)
    yield from gateway.reconfigure(configuration)
    row = yield from until_row(gateway, names.strategy(command.name), gone=False)
    if row is not None and row.state == ChildState.READY.value:
        return {"strategy": command.name, "state": row.state, "pid": row.pid}
    yield from gateway.reconfigure(present)
    reason = "nothing was heard of it" if row is None else row.reason or row.state
    raise refused(f"strategies.{command.name}: does not start and was taken away again: {reason}")


def remove_strategy(gateway: "Gateway", call: Call, command: RemoveStrategy) -> Steps:
    present = gateway.configuration
    if command.name not in present.strategies:
        known = ", ".join(present.strategies) or "none"
        raise refused(f"strategies.{command.name}: there is no such strategy; there is {known}")
    document = present.model_dump(mode="json", by_alias=True)
    del document["strategies"][command.name]
    name = names.strategy(command.name)
    document["placement"].pop(name, None)
    document["colocate"] = [kept for group in document["colocate"] if (kept := [one for one in group if one != name])]
    if any(name in group and len(group) > 1 for group in present.colocate):
        raise refused(f"strategies.{command.name}: shares its process with others (colocate); it ends with them only")
    yield from gateway.recorded(call, OperatorAction.RECONFIGURE, {"remove_strategy": command.name})
    yield from gateway.reconfigure(checked(document))
    row = yield from until_row(gateway, name, gone=True)
    if row is not None:
        raise refused(f"strategies.{command.name}: is {row.state} and has not ended yet; it is not started again")
    yield from gateway.synchronised()
    orders = gateway.mirror.open.items()
    yield from cancelled(gateway, [one for one, update in orders if update.order.strategy == command.name])
    return {"strategy": command.name, "state": ChildState.STOPPED.value}


def add_venue(gateway: "Gateway", call: Call, command: AddVenue) -> Steps:
    present = gateway.configuration
    if command.name in present.venues:
        raise refused(f"venues.{command.name}: there is one called so already")
    if command.settings.get("simulate") is not None:
        raise refused(
            f"venues.{command.name}.simulate: a fake venue starts with the run only; start one with `outcry venue` and "
            "give its addresses: rest_url, stream_url, trade_url"
        )
    document = present.model_dump(mode="json", by_alias=True)
    document["venues"] = {**document["venues"], command.name: command.settings}
    configuration = checked(document)
    arguments = {"add_venue": command.name, "settings": configuration.venues[command.name].model_dump_json()}
    yield from gateway.recorded(call, OperatorAction.RECONFIGURE, arguments)
    yield from gateway.reconfigure(configuration)
    end = gateway.within(READY_NS)
    while True:
        table = yield from gateway.fresh_table()
        shown = status.of_rows(table.rows)
        venue = shown.venues.get(command.name)
        actor = shown.actors.get(names.connector(command.name))
        if (venue is not None and venue.connected) or gateway.ctx.now() > end:
            break
        yield Until(lambda: False, gateway.within(LOOK_NS))
    return {
        "venue": command.name,
        "connected": venue is not None and venue.connected,
        "state": "" if actor is None else actor.state.value,
        "reason": "" if actor is None else actor.reason,
    }


def remove_venue(gateway: "Gateway", call: Call, command: RemoveVenue) -> Steps:
    present = gateway.configuration
    if command.name not in present.venues:
        raise refused(f"venues.{command.name}: there is no such venue; there is {', '.join(present.venues)}")
    if len(present.venues) == 1:
        raise refused(f"venues.{command.name}: is the only one; stop the run instead")
    users = [
        name
        for name, strategy in present.strategies.items()
        if any(instrument.partition(".")[0] == command.name for instrument in strategy.instruments)
    ]
    if users:
        raise refused(f"venues.{command.name}: strategies use it: {', '.join(users)}; remove those first")
    connectors = names.connectors(command.name, present.venues[command.name])
    if any(name in group for group in present.colocate for name in connectors):
        raise refused(f"venues.{command.name}: its connector shares its process with others (colocate)")
    yield from gateway.synchronised()
    there = [one for one, update in gateway.mirror.open.items() if update.order.venue in (command.name, "")]
    if there:
        raise refused(f"venues.{command.name}: {len(there)} orders may be open there; cancel them first")
    document = present.model_dump(mode="json", by_alias=True)
    del document["venues"][command.name]
    document["placement"] = without_venue(command.name, document["placement"])
    configuration = checked(document)
    yield from gateway.recorded(call, OperatorAction.RECONFIGURE, {"remove_venue": command.name})
    yield from gateway.reconfigure(configuration)
    for name in connectors:
        row = yield from until_row(gateway, name, gone=True)
        if row is not None:
            raise refused(f"venues.{command.name}: is {row.state} and has not ended yet; it is not started again")
    return {"venue": command.name, "state": ChildState.STOPPED.value}


def checked(document: dict[str, Any]) -> Configuration:
    try:
        return Configuration.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise refused(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None


def until_row(gateway: "Gateway", name: str, *, gone: bool) -> Steps:
    """The actor's row when it has started or failed, None when it is gone; or as it is when the time is over."""
    end = gateway.within(READY_NS)
    while True:
        table = yield from gateway.fresh_table()
        row: ActorRow | None = next((row for row in table.rows if row.name == name), None)
        over = row is None if gone else row is not None and row.state != ChildState.STARTING.value
        if over or gateway.ctx.now() > end:
            return row
        yield Until(lambda: False, gateway.within(LOOK_NS))
