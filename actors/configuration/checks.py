"""What a configuration that parses must hold besides: its parts fit each other and the machine it is started on."""

import importlib
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from actors import names
from actors.configuration.document import KeyPath
from actors.configuration.listed import listed_symbols
from actors.configuration.problems import Problem, nearest
from actors.configuration.simulated import known_symbols
from actors.credentials import DEMO, resolve
from actors.placing import labels_of, may_come
from actors.settings import Configuration, StrategySettings, VenueSettings
from actors.store import database_of, missing_driver
from actors.strategy.base import Strategy
from runtime.errors import ConfigError

MANY_SYMBOLS = 100
"""Fewer fit everywhere."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def check(configuration: Configuration) -> Iterator[Problem]:
    ports: dict[int, str] = {}
    for name, venue in configuration.venues.items():
        yield from _symbols(("venues", name), venue)
        yield from _credentials(("venues", name, "credentials"), venue)
        yield from _port(("venues", name, "simulate", "port"), name, venue, ports)
        yield from _shards(("venues", name), name, venue, configuration)
    for name, strategy in configuration.strategies.items():
        yield from _class(("strategies", name, "class"), strategy)
        yield from _instruments(("strategies", name, "instruments"), strategy, configuration)
    for limit in ("max_order_quantity", "max_position"):
        for instrument in getattr(configuration.risk, limit):
            yield from _instrument(("risk", limit, instrument), instrument, configuration)
    yield from _restart(configuration)
    yield from _journal(configuration)
    yield from _store(configuration)
    yield from _colocate(configuration)
    yield from _cluster(configuration)
    yield from _placement(configuration)


def _symbols(key: KeyPath, venue: VenueSettings) -> Iterator[Problem]:
    seen = set()
    for index, symbol in enumerate(venue.symbols):
        if symbol in seen:
            yield Problem((*key, "symbols", index), f"{symbol} is already in the list; remove it")
        seen.add(symbol)
    if venue.simulate is not None:
        try:
            yield from _traded(key, venue, known_symbols(venue.kind, venue.simulate.capture))
        except ConfigError as error:
            yield Problem((*key, "simulate", "capture"), str(error))


def _shards(key: KeyPath, name: str, venue: VenueSettings, configuration: Configuration) -> Iterator[Problem]:
    for symbol, shard in venue.pinned.items():
        if symbol not in venue.symbols:
            yield Problem((*key, "pinned", symbol), f"is not in the symbols; {nearest(symbol, venue.symbols)}")
        elif shard >= venue.shards:
            yield Problem((*key, "pinned", symbol), f"there is no shard {shard}; give 0 to {venue.shards - 1}")
    if venue.leaving:
        yield Problem((*key, "leaving"), "is the desk's own note while symbols move; remove it")
    elif len(venue.symbols) > MANY_SYMBOLS:
        from actors.venues.feed_limits import LIMITS, objection, on_each_address  # a tenth of a second

        addresses = on_each_address(name, venue, configuration.placement)
        if reason := objection(venue, LIMITS[venue.kind], addresses):
            yield Problem((*key, "symbols"), reason)


def check_at_venues(configuration: Configuration) -> Iterator[Problem]:
    """What only the venues themselves know; asked when everything else is right."""
    for name, venue in configuration.venues.items():
        if venue.simulate is None:
            yield from _traded(("venues", name), venue, listed_symbols(venue.kind, venue.rest_url, venue.symbols))


def _traded(key: KeyPath, venue: VenueSettings, known: list[str]) -> Iterator[Problem]:
    for index, symbol in enumerate(venue.symbols):
        if symbol not in known:
            yield Problem((*key, "symbols", index), f"{symbol} is not traded there; {nearest(symbol, known)}")


def _credentials(key: KeyPath, venue: VenueSettings) -> Iterator[Problem]:
    if venue.credentials is None:
        return
    local = venue.simulate is not None or urlsplit(venue.rest_url).hostname in LOOPBACK
    for part in ("key", "secret"):
        reference = getattr(venue.credentials, part)
        if reference == DEMO and not local:
            yield Problem(
                (*key, part),
                "demo is the account of a simulated venue; use env:NAME or file:PATH, or add `simulate: {}`",
            )
            continue
        try:
            resolve(reference, DEMO)
        except ConfigError as error:
            yield Problem((*key, part), str(error))


def _port(key: KeyPath, name: str, venue: VenueSettings, ports: dict[int, str]) -> Iterator[Problem]:
    port = venue.simulate.port if venue.simulate else 0
    if port == 0:
        return
    if port in ports:
        yield Problem(key, f"{port} is already the port of {ports[port]}; give another one, or 0 for any free one")
    elif not is_free(port):
        yield Problem(key, f"{port} is taken by another program; give another one, or 0 for any free one")
    ports[port] = name


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _class(key: KeyPath, strategy: StrategySettings) -> Iterator[Problem]:
    module_name, _, class_name = strategy.class_.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            yield Problem(key, f"there is no module {error.name}; it must be importable from the current folder")
        else:
            yield Problem(key, f"{module_name} cannot be imported: {error}; install what it needs")
        return
    except Exception as error:  # whatever a user's module does when it is imported is the user's to mend
        yield Problem(key, f"{module_name} cannot be imported: {type(error).__name__}: {error}")
        return
    found = getattr(module, class_name, None)
    if not _is_strategy(found):
        classes = [name for name, value in vars(module).items() if _is_strategy(value)]
        yield Problem(key, f"{module_name} has no strategy {class_name}; {nearest(class_name, classes)}")


def _is_strategy(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Strategy) and value is not Strategy


def _instruments(key: KeyPath, strategy: StrategySettings, configuration: Configuration) -> Iterator[Problem]:
    for index, instrument in enumerate(strategy.instruments):
        found = list(_instrument((*key, index), instrument, configuration))
        yield from found
        venue = instrument.partition(".")[0]
        if not found and configuration.venues[venue].credentials is None:
            yield Problem(
                ("venues", venue, "credentials"),
                f"is missing, and {key[1]} trades there; add `credentials: {{key: env:NAME, secret: env:NAME}}`"
                " (or `demo` for both if it is simulated)",
            )


def _instrument(key: KeyPath, instrument: str, configuration: Configuration) -> Iterator[Problem]:
    name, _, symbol = instrument.partition(".")
    venue = configuration.venues.get(name)
    if venue is None:
        known = [f"{name}.{symbol}" for name, venue in configuration.venues.items() for symbol in venue.symbols]
        yield Problem(key, f"{instrument}: no venue is called {name}; {nearest(instrument, known)}")
    elif symbol not in venue.symbols:
        yield Problem(
            key,
            f"{instrument}: {symbol} is not in venues.{name}.symbols; {nearest(symbol, venue.symbols)}",
        )


def _restart(configuration: Configuration) -> Iterator[Problem]:
    restart = configuration.restart
    if restart.backoff_max_s < restart.backoff_min_s:
        yield Problem(
            ("restart", "backoff_max_s"),
            f"{restart.backoff_max_s:g} is less than backoff_min_s; give at least {restart.backoff_min_s:g}",
        )


def _journal(configuration: Configuration) -> Iterator[Problem]:
    path = configuration.journal.path
    if path is not None and path.exists() and not path.is_dir():
        yield Problem(("journal", "path"), f"{path} is a file; give a folder")
    if configuration.journal.durability == "machine":
        yield from _follower(configuration)
    if path is None and (real := [name for name, venue in configuration.venues.items() if _takes_real_orders(venue)]):
        yield Problem(
            ("journal", "path"),
            f"is missing, and orders at {' and '.join(real)} outlive a run; add `journal: {{path: FOLDER}}`, "
            "from which the next run continues",
        )


def _follower(configuration: Configuration) -> Iterator[Problem]:
    """Processes of one machine may try it out; nobody is to believe that they survive that machine."""
    cluster = configuration.cluster
    if configuration.journal.path is None:
        yield Problem(
            ("journal", "path"),
            "is missing, and a follower keeps its copy beside it; add `journal: {path: FOLDER}`, on every machine",
        )
    if cluster.backend == "ray" and cluster.address is None:
        yield Problem(
            ("journal", "durability"),
            "machine needs a second machine; add `cluster: {address: HEAD:6379}`, or --address, or use power",
        )
    for index, group in enumerate(configuration.colocate):
        if {names.ORDER_MANAGER, names.JOURNAL_FOLLOWER} <= set(group):
            key = ("colocate", index, group.index(names.JOURNAL_FOLLOWER))
            yield Problem(key, f"{names.JOURNAL_FOLLOWER} cannot share what it is to survive; remove it")
    if {names.ORDER_MANAGER, names.JOURNAL_FOLLOWER} <= set(configuration.placement):
        yield Problem(
            ("placement", names.JOURNAL_FOLLOWER),
            f"{names.JOURNAL_FOLLOWER} is on the machine where the desk is started, with the store, if "
            f"{names.ORDER_MANAGER} is placed elsewhere; remove one of the two",
        )


def _takes_real_orders(venue: VenueSettings) -> bool:
    return venue.credentials is not None and venue.simulate is None


def _store(configuration: Configuration) -> Iterator[Problem]:
    store = configuration.store
    if store.kind == "sqlite":
        if store.path is not None and store.path.is_dir():
            yield Problem(("store", "path"), f"{store.path} is a folder; give a file")
        for key, value in (("dsn", store.dsn), ("schema", store.schema_)):
            if value is not None:
                yield Problem(("store", key), "is for PostgreSQL only; add `kind: postgresql`, or remove it")
        return
    if store.path is not None:
        yield Problem(("store", "path"), "is for SQLite only; remove it, or `kind: postgresql`")
    if missing := missing_driver(store.kind):
        yield Problem(("store", "kind"), missing)
        return
    try:
        database_of(configuration, Path())
    except ConfigError as error:
        yield Problem(("store", "dsn"), str(error))


def _colocate(configuration: Configuration) -> Iterator[Problem]:
    known = names.of_desk(configuration)
    group_of: dict[str, int] = {}
    for group, members in enumerate(configuration.colocate):
        for index, member in enumerate(members):
            key = ("colocate", group, index)
            if member not in known:
                yield Problem(key, f"no actor is called {member}; {nearest(member, known)}")
            elif member in group_of:
                yield Problem(key, f"{member} is already in colocate[{group_of[member]}]; keep it in one group")
            group_of.setdefault(member, group)
        yield from _standbys(("colocate", group), members)


STAYS = (names.ORDER_MANAGER, names.STORE, names.GATEWAY)


def _standbys(key: KeyPath, group: list[str]) -> Iterator[Problem]:
    for standby in group:
        primary = names.primary_of(standby)
        if primary in group:
            yield Problem(
                key, f"{standby} is there for when the process of {primary} dies; keep them in different groups"
            )
        elif primary and (staying := next((other for other in group if other in STAYS), "")):
            yield Problem(
                key, f"{standby} goes to another machine, and {staying} cannot; keep them in different groups"
            )


def _cluster(configuration: Configuration) -> Iterator[Problem]:
    cluster = configuration.cluster
    if cluster.address is not None and find_spec("cryptography") is None:
        yield Problem(
            ("cluster", "address"),
            "streams between machines need the package cryptography, which is not installed; "
            "pip install 'openoutcry[cluster]'",
        )
    if cluster.ports[1] < cluster.ports[0]:
        yield Problem(("cluster", "ports"), f"the last is below the first; give at least {cluster.ports[0]}")


def _placement(configuration: Configuration) -> Iterator[Problem]:
    known = names.of_desk(configuration)
    for actor, labels in configuration.placement.items():
        key = ("placement", actor)
        if configuration.cluster.address is None:
            yield Problem(key, "needs a cluster; add `cluster: {address: HEAD:6379}`, or --address, or remove it")
        elif actor not in known and not may_come(actor, configuration.venues):
            yield Problem(key, f"no actor is called {actor}; {nearest(actor, known)}")
        elif actor == names.STORE or (actor == names.ORDER_MANAGER and configuration.journal.durability != "machine"):
            why = f"{actor} stays with the journal, on the machine where the desk is started; remove it"
            copied = ", or add `journal: {durability: machine}`" if actor == names.ORDER_MANAGER else ""
            yield Problem(key, why + copied)
        elif actor == names.GATEWAY:
            yield Problem(key, f"{actor} is asked on the machine where the desk is started and stays there; remove it")
        elif not labels:
            yield Problem(key, "is empty; give labels of nodes, e.g. {zone: tokyo}, or remove it")
    for index, group in enumerate(configuration.colocate):
        wanted = [labels_of(actor, configuration.placement) for actor in group]
        if any(labels != wanted[0] for labels in wanted):
            yield Problem(
                ("colocate", index), "its actors are placed on different nodes; give all of them the same `placement`"
            )
