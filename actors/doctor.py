"""What is wrong with a running desk, in words, and what to do about it: a pure function of the supervisor's table."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from actors import names
from actors.status import forbidden_words
from runtime.clock import NS_PER_S
from runtime.protocol import ActorRow
from runtime.supervision.table import ChildState

WAITING_NS = 1 * NS_PER_S
NEAR_LIMIT = 0.8
CLOCK_MS = 500.0
LAG_BYTES = 1_000_000


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it should be."""

    subject: str
    what: str
    do: str


Rule = Callable[[ActorRow], Iterator[Finding]]


def diagnose(rows: Iterable[ActorRow]) -> list[Finding]:
    """Nothing found is an empty list; the order is that of the rows."""
    return [finding for row in rows for rule in RULES for finding in rule(row)]


def _life(row: ActorRow) -> Iterator[Finding]:
    match ChildState(row.state):
        case ChildState.PARKED:
            yield Finding(
                row.name,
                f"ended {row.restarts} times and is parked, last because: {row.reason}",
                f"mend the cause; it is tried again by itself after restart.park_s. {_remedy(row.reason)}".strip(),
            )
        case ChildState.BACKOFF:
            yield Finding(row.name, f"ended and is about to start again: {row.reason}", _remedy(row.reason) or WAIT)
        case ChildState.STARTING if row.reason.startswith("waits for a node"):
            yield Finding(
                row.name, row.reason, "start Ray on such a node (scripts/worker HEAD --labels=…), or change `placement`"
            )
        case ChildState.STARTING if row.incarnation > 1:
            yield Finding(row.name, f"is starting for the {row.incarnation}. time, after: {row.reason}", WAIT)
        case _:
            return


WAIT = "wait; if it goes on, look into its log"
REMEDIES = {
    "is known to hold all": "the journal of the last life is on a machine that is not there: bring it back",
    "do not continue each other": "compare them with `outcry journal verify`; move away the one that is not the desk's",
    "Corrupt": "`outcry journal verify FOLDER` says where the journal is damaged; move the folder away only when every "
    "order of it is known to be done at the venue",
    "ModuleNotFoundError": "the module is not installed where the host runs; check strategies.*.class",
    "ConfigError": "the configuration has to be changed",
    "No space left": "free disk space",
    "MEMORY": "it holds on to too much: keep less, or raise strategies.*.memory_limit_mb",
    "silent for": "its process was alive but did not answer: look for a handler that blocks",
}


def _remedy(reason: str) -> str:
    return next((remedy for sign, remedy in REMEDIES.items() if sign in reason), "")


def _mailbox(row: ActorRow) -> Iterator[Finding]:
    if row.waiting_ns > WAITING_NS:
        yield Finding(
            row.name,
            f"{row.depth} messages wait, the first for {row.waiting_ns / NS_PER_S:.1f} s",
            "its handlers are too slow for what it subscribed to: subscribe to less, or do less in them",
        )
    if row.dropped:
        yield Finding(
            row.name,
            f"{row.dropped} events were conflated or dropped for readers that were too slow",
            "harmless for quotes, of which the newest is kept; a strategy that needs every trade has to be faster",
        )


def _missed(row: ActorRow) -> Iterator[Finding]:
    if missed := row.counters.get("missed"):
        yield Finding(
            row.name,
            f"{missed} trades were brought by none of the connectors that it hears",
            "all of them were without their link at once, or the venue left numbers out; what is built of trades lacks "
            "these",
        )


def _venue(row: ActorRow) -> Iterator[Finding]:
    state = row.report
    venue = state.get("venue") or state.get("standby_of")
    if not isinstance(venue, str):
        return
    if not state.get("connected"):
        what = "there is no market data of its symbols" if state.get("shard") else "orders for it are denied"
        if "standby_of" in state:
            what = "nobody goes on when its connector dies"
        yield Finding(
            row.name,
            f"{venue} is not connected: {state.get('problem') or 'no reason known'}",
            f"{what}; it keeps trying. Check addresses, network and credentials of the venue",
        )
    for part, reason in _mapping(state.get("degraded")).items():
        yield Finding(
            row.name,
            f"{venue} is degraded: {part} by REST, because {reason}",
            "market data is older and rarer, executions are learned by asking; it ends by itself when the WebSocket is "
            "back. Look for what lets HTTP through and stops WebSockets",
        )
    yield from _permits(row, venue, state)
    down = [link for link, up in _mapping(state.get("links")).items() if up != "UP"]
    if down:
        yield Finding(row.name, f"links of {venue} that are not up: {', '.join(down)}", WAIT)
    invalid = [symbol for symbol, book in _mapping(state.get("books")).items() if book not in ("SYNCED", "DEGRADED")]
    if invalid:
        yield Finding(
            row.name, f"books that nobody may trade on now: {', '.join(invalid)}", "they are being built anew"
        )
    moving = [symbol for symbol, here in _mapping(state.get("moving")).items() if _mapping(here).get("carried")]
    if moving:
        yield Finding(
            row.name,
            f"{', '.join(moving)} of {venue} moves between connectors, and two have it",
            "nothing is lost or comes twice meanwhile; if it goes on, ask for `desk.set_shards` again",
        )
    unknown = state.get("unknown_symbols") or []
    if unknown:
        yield Finding(
            row.name, f"{venue} does not list {', '.join(unknown)}", f"remove them from venues.{venue}.symbols"
        )
    used, limit = state.get("used_weight", 0), state.get("weight_limit", 0)
    if limit and used > NEAR_LIMIT * limit:
        yield Finding(
            row.name, f"{used} of {limit} request weight a minute are used", "query less, or spread over addresses"
        )
    offset = float(state.get("clock_offset_ms") or 0.0)
    if abs(offset) > CLOCK_MS:
        yield Finding(
            row.name, f"this clock and that of {venue} differ by {offset:.0f} ms", "let this machine follow NTP"
        )
    if row.counters.get("bad_frames"):
        yield Finding(
            row.name,
            f"{row.counters['bad_frames']} frames of {venue} could not be understood",
            "the last ones are in `outcry status --json`; has the venue changed its protocol?",
        )


def _permits(row: ActorRow, venue: str, state: Mapping[str, Any]) -> Iterator[Finding]:
    for words in forbidden_words(state):
        yield Finding(row.name, f"{venue} {words}", "it ends by itself; ask less, or spread over addresses")
    if waiting := state.get("waits_for_lease"):
        yield Finding(
            row.name,
            f"waits for a lease of {', '.join(waiting)}: others use what {venue} allows this address or account",
            "queries and snapshots come later, cancels and orders go first; ask less, or spread over addresses",
        )
    if lapsed := state.get("right_to_trade"):
        yield Finding(
            row.name,
            f"its right to trade has lapsed: {lapsed}",
            "it cancels, but sends no new order until it hears the supervisor again: look for `outcry run`, its "
            "machine and the network between",
        )


def _orders(row: ActorRow) -> Iterator[Finding]:
    if row.name != names.ORDER_MANAGER:
        return
    unknown = _mapping(row.report.get("orders")).get("UNKNOWN", 0)
    if unknown:
        yield Finding(
            row.name,
            f"{unknown} orders whose outcome is not known",
            "they count at their worst case and the venue is being asked; look at the venue if it goes on",
        )
    if row.counters.get("missing_at_venue"):
        yield Finding(
            row.name,
            f"{row.counters['missing_at_venue']} orders that the venue once had and does not know any more",
            "look them up at the venue by their client order id",
        )
    for venue, state in _mapping(row.report.get("venues")).items():
        foreign = _mapping(state).get("foreign_orders", 0)
        if foreign:
            yield Finding(
                row.name, f"{foreign} open orders at {venue} are not ours", "cancel them there, or use another account"
            )


def _journal_copy(row: ActorRow) -> Iterator[Finding]:
    if problem := _mapping(row.report.get("journal_copy")).get("problem"):
        yield Finding(
            row.name,
            f"its journal is on one machine only: {problem}",
            "new orders and changes are refused as NOT_DURABLE, cancels go; it goes on by itself when the follower has "
            "caught up. Look at journal_follower, and whether there is another node that it could be on",
        )


def _store(row: ActorRow) -> Iterator[Finding]:
    if row.name != names.STORE:
        return
    if row.report.get("problem"):
        yield Finding(row.name, str(row.report["problem"]), "orders go on; it catches up by itself when that is mended")
    elif row.report.get("lag_bytes", 0) > LAG_BYTES:
        yield Finding(
            row.name, f"{row.report['lag_bytes']} bytes behind the journal", "the database is slow; orders go on"
        )


def _strangers(row: ActorRow) -> Iterator[Finding]:
    if refused := row.counters.get("strangers_refused"):
        yield Finding(
            row.name,
            f"{refused} connections of strangers were refused",
            "its log says from where; close the ports of `cluster.ports` to everybody outside of the cluster",
        )


RULES: tuple[Rule, ...] = (_life, _mailbox, _missed, _venue, _orders, _journal_copy, _store, _strangers)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
