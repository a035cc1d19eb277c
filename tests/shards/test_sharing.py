"""What the gateway tells whom, and in which order, when symbols are shared out anew; a test plays everybody else."""

from typing import Any

import msgspec

from actors import names
from actors.gateway.actor import Gateway
from actors.gateway.requests import PROTOCOL, Answer, Call, MoveSymbol, Problem, SetShards
from actors.gateway.resharding import FOLLOW_NS, OVERLAP_NS
from actors.messages import FeedsMoved, OperatorActed, OperatorRecorded
from actors.settings import Configuration
from runtime.actor import ActorUp, Started
from runtime.address import Address, StreamKind
from runtime.clock import NS_PER_MS
from runtime.protocol import SUPERVISOR, ActorRow, Answered, Asked, AskTable, Reconfigure, Reconfigured, TableTold
from tests.orders.desk import NOW
from tests.support.context import RecordingContext

CLIENT = Address("asker", 1, StreamKind.UNIX, "/client.sock")
HERE = Address(names.GATEWAY, 1, StreamKind.UNIX, "/gateway.sock")
OLD, NEW = "connector.binance", "connector.binance.1"
BTC, ETH = "BTCUSDT", "ETHUSDT"
"""Of two shards the first has ETHUSDT, the second BTCUSDT."""
CONFIGURATION = Configuration.model_validate(
    {
        "venues": {"binance": {"kind": "binance", "symbols": [BTC, ETH]}},
        "strategies": {"maker": {"class": "a:B", "instruments": ["binance.BTCUSDT"]}},
    }
)


class Everybody:
    """The order manager writes down, the supervisor does as it is told, connectors report what the test says."""

    def __init__(self, configuration: Configuration = CONFIGURATION) -> None:
        self.ctx = RecordingContext(names.GATEWAY, time=NOW)
        self.gateway = Gateway(configuration)
        self.in_force = configuration
        self.moving: dict[str, Any] = {}
        """Connector → what it reports of BTCUSDT."""
        self.log: list[tuple[str, Any]] = []
        """What was told, without repetitions."""
        self.gateway.receive(Started(), self.ctx)
        self.gateway.receive(ActorUp(HERE), self.ctx)

    def ask(self, request: SetShards | MoveSymbol) -> None:
        call = Call(PROTOCOL, "jo@desk", "notebook", False, request)
        self._receive(Asked(CLIENT, 1, msgspec.msgpack.encode(call)))

    def pass_time(self, duration_ns: int) -> None:
        end = self.ctx.time + duration_ns
        while self.ctx.time < end:
            self.ctx.time += 50 * NS_PER_MS
            for message in self.ctx.due():
                self._receive(message)

    def answer(self) -> Answer | None:
        answers = [message for _, message in self.log if isinstance(message, Answer)]
        return answers[-1] if answers else None

    def told(self, to: str) -> list[Any]:
        return [message for name, message in self.log if name == to]

    def _receive(self, message: object) -> None:
        self.gateway.receive(message, self.ctx)
        while self.ctx.told:
            to, told = self.ctx.told.pop(0)
            match told:
                case OperatorActed():
                    self._note(to, told.arguments)
                    self.gateway.receive(OperatorRecorded(told.request, "", "", {}), self.ctx)
                case Reconfigure():
                    self.in_force = Configuration.model_validate_json(told.settings)
                    venue = self.in_force.venues["binance"]
                    self._note(to, (venue.shards, venue.leaving))
                    if venue.connectors == 1:
                        self.moving.pop(NEW, None)
                    self.gateway.receive(Reconfigured(""), self.ctx)
                case AskTable():
                    self.gateway.receive(TableTold(self._rows(), False), self.ctx)
                case FeedsMoved():
                    self._note(to, told.publishers)
                case Answered():
                    self._note(to, msgspec.msgpack.decode(told.payload, type=Answer))
                case _:
                    pass

    def _note(self, to: str, message: Any) -> None:
        if (to, message) not in self.log[-8:]:
            self.log.append((to, message))

    def _rows(self) -> list[ActorRow]:
        return [
            ActorRow(name, name, "READY", 1, "", 1, 0, "", 0, 0, 0, 0, {}, {"moving": {BTC: here}, "books": {}})
            for name, here in self.moving.items()
        ]


BOTH, LAST, FIRST = {BTC: (NEW, OLD)}, {BTC: (NEW,)}, {BTC: (OLD,)}


def begun() -> Everybody:
    desk = Everybody()
    desk.ask(SetShards("binance", 2))
    desk.pass_time(200 * NS_PER_MS)
    assert desk.told(names.ORDER_MANAGER) == [{"set_shards": "binance", "shards": "2"}]
    assert desk.told(SUPERVISOR) == [(2, {BTC: 0})]
    assert desk.told(OLD) == desk.told(NEW) == [BOTH]
    return desk


def test_readers_are_told_when_the_new_one_is_sent_everything_and_the_old_one_lets_go_when_all_have_read_both() -> None:
    desk = begun()
    desk.moving = {OLD: {"carried": True, "readers": ["strategy.maker"]}, NEW: {"carried": False, "readers": []}}
    desk.pass_time(OVERLAP_NS)
    assert desk.told("strategy.maker") == []
    desk.moving[NEW]["carried"] = True
    desk.pass_time(OVERLAP_NS * 2)
    assert (
        desk.told("strategy.maker")
        == desk.told("portfolio")
        == desk.told("risk_checker")
        == desk.told("router")
        == [BOTH]
    )
    desk.moving[NEW]["readers"] = ["portfolio", "strategy.maker"]
    desk.pass_time(OVERLAP_NS - 200 * NS_PER_MS)
    assert desk.told("strategy.maker") == [BOTH]
    desk.pass_time(400 * NS_PER_MS)
    assert desk.told("strategy.maker") == [BOTH, LAST]
    assert desk.told(OLD) == [BOTH]
    desk.moving[OLD]["readers"] = []
    desk.pass_time(200 * NS_PER_MS)
    assert desk.told(SUPERVISOR) == [(2, {BTC: 0}), (2, {})]
    assert desk.told(OLD) == desk.told(NEW) == [BOTH, LAST]
    answer = desk.answer()
    assert answer is not None
    assert answer.value == {"venue": "binance", "shards": {OLD: [ETH], NEW: [BTC]}}


def test_a_new_one_that_gets_nothing_is_taken_away_again() -> None:
    desk = begun()
    desk.moving = {OLD: {"carried": True, "readers": ["strategy.maker"]}}
    desk.pass_time(FOLLOW_NS + OVERLAP_NS)
    answer = desk.answer()
    assert answer is not None
    assert answer.problem is Problem.REFUSED
    assert answer.reason == (
        "venues.binance: all is as it was, because BTCUSDT at connector.binance.1 is not sent everything by the venue"
    )
    assert desk.told(SUPERVISOR) == [(2, {BTC: 0}), (1, {})]
    assert desk.told(OLD) == [BOTH, FIRST]
    assert desk.told("strategy.maker") == [FIRST]


def test_who_does_not_read_the_new_one_is_named_and_all_is_put_back() -> None:
    desk = begun()
    desk.moving = {
        OLD: {"carried": True, "readers": ["portfolio", "recorder"]},
        NEW: {"carried": True, "readers": ["portfolio"]},
    }
    desk.pass_time(FOLLOW_NS + OVERLAP_NS)
    answer = desk.answer()
    assert answer is not None
    assert "BTCUSDT at connector.binance.1, which is not read by recorder," in answer.reason
    assert desk.told(SUPERVISOR) == [(2, {BTC: 0}), (1, {})]
    assert desk.told("strategy.maker") == [BOTH, FIRST]


def test_nothing_else_is_changed_meanwhile() -> None:
    desk = begun()
    desk.ask(MoveSymbol("binance.ETHUSDT", 0))
    answer = desk.answer()
    assert answer is not None
    assert answer.reason == "the desk is just being changed; try again"


def test_what_cannot_be_meant_is_refused_before_anything_is_done() -> None:
    for request, reason in (
        (SetShards("nowhere", 2), "venues.nowhere: there is no such venue; there is binance"),
        (SetShards("binance", 0), "venues.binance.shards: is 0; give 1 to 256"),
        (MoveSymbol("binance.DOGE", 0), "binance.DOGE: is not in the configuration; there is BTCUSDT, ETHUSDT"),
        (MoveSymbol("binance.BTCUSDT", 1), "binance.BTCUSDT: there is no shard 1; give 0 to 0"),
    ):
        desk = Everybody()
        desk.ask(request)
        answer = desk.answer()
        assert answer is not None
        assert (answer.problem, answer.reason) == (Problem.REFUSED, reason)
        assert desk.told(SUPERVISOR) == []
