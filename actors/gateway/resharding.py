"""Sharing a venue's symbols out anew while the desk runs: make before break, so that nothing is lost or doubled.

First a configuration is in force in which two connectors have each symbol that moves; the new one is waited for until
the venue sends it everything and its book is in step. Then the readers are told: they read both and take each event
once. Only when every reader of the old one has read the new one for `OVERLAP_NS` they leave it, and it lets go.
Whoever begins a life meanwhile finds in its settings how things are. Should the gateway die over it, the symbols stay
with both until somebody asks for shards again; should anybody not follow, all is put back as it was.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from actors import names
from actors.gateway.operations import Steps, Until
from actors.gateway.reconfiguring import LOOK_NS, checked, until_row
from actors.gateway.requests import Call, MoveSymbol, Refusal, SetShards, refused
from actors.messages import FeedsMoved, OperatorAction
from actors.placing import MOST_SHARDS
from actors.settings import VenueSettings
from actors.shards import from_to, publishers_of, shard_of
from runtime.clock import NS_PER_S
from runtime.protocol import ActorRow

if TYPE_CHECKING:
    from actors.gateway.actor import Gateway

OVERLAP_NS = 2 * NS_PER_S
"""Longer than one connector may lag behind another."""
FOLLOW_NS = 60 * NS_PER_S
"""So long the venue, and then the readers, may take to follow."""

Rows = dict[str, ActorRow]


def set_shards(gateway: "Gateway", call: Call, command: SetShards) -> Steps:
    settings = _venue(gateway, command.venue)
    if not 1 <= command.shards <= MOST_SHARDS:
        raise refused(f"venues.{command.venue}.shards: is {command.shards}; give 1 to {MOST_SHARDS}")
    pinned = {symbol: shard for symbol, shard in settings.pinned.items() if shard < command.shards}
    wanted = settings.model_copy(update={"shards": command.shards, "pinned": pinned})
    arguments = {"set_shards": command.venue, "shards": str(command.shards)}
    return (yield from _share_out(gateway, call, command.venue, wanted, arguments))


def move_symbol(gateway: "Gateway", call: Call, command: MoveSymbol) -> Steps:
    name, _, symbol = command.instrument.partition(".")
    settings = _venue(gateway, name)
    if symbol not in settings.symbols:
        raise refused(f"{command.instrument}: is not in the configuration; there is {', '.join(settings.symbols)}")
    if not 0 <= command.shard < settings.shards:
        raise refused(f"{command.instrument}: there is no shard {command.shard}; give 0 to {settings.shards - 1}")
    wanted = settings.model_copy(update={"pinned": {**settings.pinned, symbol: command.shard}})
    arguments = {"move_symbol": command.instrument, "shard": str(command.shard)}
    return (yield from _share_out(gateway, call, name, wanted, arguments))


def _venue(gateway: "Gateway", name: str) -> VenueSettings:
    settings = gateway.configuration.venues.get(name)
    if settings is None:
        raise refused(f"venues.{name}: there is no such venue; there is {', '.join(gateway.configuration.venues)}")
    return settings


def _share_out(gateway: "Gateway", call: Call, name: str, wanted: VenueSettings, arguments: dict[str, str]) -> Steps:
    _check_limits(gateway, name, wanted)
    _check_groups(gateway, name, wanted)
    yield from gateway.recorded(call, OperatorAction.RECONFIGURE, arguments)
    if gateway.configuration.venues[name].leaving:  # an earlier life of the gateway died over it
        yield from _move(gateway, name, _with(gateway.configuration.venues[name], {}))
    yield from _move(gateway, name, wanted)
    shares: dict[int, list[str]] = {shard: [] for shard in range(wanted.shards)}
    for symbol in wanted.symbols:
        shares[shard_of(wanted, symbol)].append(symbol)
    return {"venue": name, "shards": {names.connector(name, shard): symbols for shard, symbols in shares.items()}}


def _move(gateway: "Gateway", name: str, wanted: VenueSettings) -> Steps:
    before = gateway.configuration.venues[name]
    leaving = dict(before.leaving)
    for symbol in wanted.symbols:
        if shard_of(wanted, symbol) != shard_of(before, symbol):
            leaving[symbol] = shard_of(before, symbol)
    if not leaving:
        yield from _put_in_force(gateway, name, _with(wanted, {}), wanted.symbols)
        return
    both = _with(wanted, leaving)
    moves = _Moves(gateway, name, both, sorted(leaving))
    yield from _reconfigure(gateway, name, both)
    try:
        yield from moves.until(moves.to_connectors, moves.is_carried, 0, "is not sent everything by the venue")
        yield from moves.until(moves.to_all, moves.is_read, OVERLAP_NS, "is not read by all who read the old one")
    except Refusal:
        yield from _put_in_force(gateway, name, before if before.leaving else _with(before, {}), sorted(leaving))
        raise
    done = _Moves(gateway, name, _with(wanted, {}), sorted(leaving))
    yield from moves.left(done.to_readers)
    yield from _put_in_force(gateway, name, _with(wanted, {}), sorted(leaving))


def _put_in_force(gateway: "Gateway", name: str, settings: VenueSettings, symbols: list[str]) -> Steps:
    """What is not wanted any more has ended afterwards. Told before, so that nobody reads what ends, and after, for who
    began a life in between."""
    moves = _Moves(gateway, name, settings, symbols)
    moves.to_readers()
    running = names.connectors(name, settings)
    ended = [actor for actor in names.connectors(name, gateway.configuration.venues[name]) if actor not in running]
    yield from _reconfigure(gateway, name, settings)
    moves.to_all()
    for actor in ended:
        yield from until_row(gateway, actor, gone=True)


def _with(settings: VenueSettings, leaving: dict[str, int]) -> VenueSettings:
    return settings.model_copy(update={"leaving": leaving})


def _reconfigure(gateway: "Gateway", name: str, settings: VenueSettings) -> Steps:
    """Only this venue is another one than just now."""
    document = gateway.configuration.model_dump(mode="json", by_alias=True)
    document["venues"][name] = settings.model_dump(mode="json", by_alias=True)
    yield from gateway.reconfigure(checked(document))


class _Moves:
    """Symbols of a venue on their way, as `settings` say; what the connectors report of them is up to a second old."""

    def __init__(self, gateway: "Gateway", name: str, settings: VenueSettings, symbols: list[str]) -> None:
        self._gateway = gateway
        self._name = name
        self._told = FeedsMoved(name, {symbol: publishers_of(name, settings, symbol) for symbol in symbols})
        self._pairs = [
            (symbol, old, new)
            for symbol in symbols
            for leaves, comes_to in (from_to(name, settings, symbol),)
            for old in leaves
            for new in comes_to
        ]
        self._late = ""
        """Who was waited for last."""

    # ---- telling; whoever knows it already does nothing

    def to_connectors(self) -> None:
        settings = self._gateway.configuration.venues[self._name]
        self._tell(names.connectors(self._name, settings))

    def to_readers(self) -> None:
        strategies = (names.strategy(name) for name in self._gateway.configuration.strategies)
        self._tell((names.RISK_CHECKER, names.ROUTER, names.PORTFOLIO, *strategies))
        self._gateway.feeds.on_moved(self._told, self._gateway.ctx)

    def to_all(self) -> None:
        self.to_connectors()
        self.to_readers()

    def _tell(self, actors: Iterable[str]) -> None:
        for actor in actors:
            self._gateway.ctx.tell(actor, self._told)

    # ---- waiting

    def until(self, tell: Callable[[], None], holds: Callable[[Rows], bool], for_ns: int, problem: str) -> Steps:
        """Tell it again and again until it holds, and has for so long."""
        gateway = self._gateway
        end, since = gateway.within(FOLLOW_NS), 0
        while True:
            tell()
            table = yield from gateway.fresh_table()
            now = gateway.ctx.now()
            if not holds({row.name: row for row in table.rows}):
                since = 0
            elif now - (since := since or now) >= for_ns:
                return
            if now > end:
                raise refused(f"venues.{self._name}: all is as it was, because {self._late} {problem}")
            yield Until(lambda: False, gateway.within(LOOK_NS))

    def left(self, tell: Callable[[], None]) -> Steps:
        """Until nobody reads the old ones; who has not answered by then hears of it from the new ones all the same."""
        gateway = self._gateway
        end = gateway.within(FOLLOW_NS // 6)
        tell()
        while gateway.ctx.now() < end:
            table = yield from gateway.fresh_table()
            rows = {row.name: row for row in table.rows}
            if not any(_readers(rows, old, symbol) for symbol, old, _ in self._running(rows)):
                return
            tell()
            yield Until(lambda: False, gateway.within(LOOK_NS))

    def is_carried(self, rows: Rows) -> bool:
        """A book that is not in step at the old one either is not waited for."""
        for symbol, old, new in self._running(rows):
            self._late = f"{symbol} at {new}"
            is_synced = _book(rows, new, symbol) == "SYNCED" or _book(rows, old, symbol) != "SYNCED"
            if not (_moving(rows, new, symbol).get("carried") and is_synced):
                return False
        return True

    def is_read(self, rows: Rows) -> bool:
        for symbol, old, new in self._running(rows):
            self._late = f"{symbol} at {new}"
            if not _moving(rows, new, symbol) or not _moving(rows, old, symbol):
                return False
            if missing := _readers(rows, old, symbol) - _readers(rows, new, symbol):
                self._late = f"{symbol} at {new}, which is not read by {', '.join(sorted(missing))},"
                return False
        return True

    def _running(self, rows: Rows) -> Iterator[tuple[str, str, str]]:
        """Without standbys that are not there now, as one without a node of its own: what they stand beside is moved
        without them, and they begin with the settings of then."""
        for symbol, old, new in self._pairs:
            if not any(names.primary_of(actor) and not _is_ready(rows, actor) for actor in (old, new)):
                yield symbol, old, new


def _is_ready(rows: Rows, actor: str) -> bool:
    return actor in rows and rows[actor].state == "READY"


def _moving(rows: Rows, connector: str, symbol: str) -> dict[str, Any]:
    row = rows.get(connector)
    found: dict[str, Any] = row.report.get("moving", {}).get(symbol, {}) if row is not None else {}
    return found


def _readers(rows: Rows, connector: str, symbol: str) -> set[str]:
    return set(_moving(rows, connector, symbol).get("readers", ()))


def _book(rows: Rows, connector: str, symbol: str) -> str:
    row = rows.get(connector)
    return str(row.report.get("books", {}).get(symbol, "")) if row is not None else ""


def _check_limits(gateway: "Gateway", name: str, wanted: VenueSettings) -> None:
    from actors.venues.feed_limits import LIMITS, objection, on_each_address

    addresses = on_each_address(name, wanted, gateway.configuration.placement)
    if reason := objection(wanted, LIMITS[wanted.kind], addresses):
        raise refused(f"venues.{name}.shards: {reason}")


def _check_groups(gateway: "Gateway", name: str, wanted: VenueSettings) -> None:
    running = names.connectors(name, _with(wanted, {}))
    for actor in names.connectors(name, gateway.configuration.venues[name]):
        if actor not in running and any(actor in group for group in gateway.configuration.colocate):
            raise refused(f"venues.{name}.shards: {actor} shares its process with others (colocate)")
