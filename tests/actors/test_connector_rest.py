"""Commands that leave by REST or in batches, and the protocol's look at its links."""

from collections.abc import Mapping

from actors.connector.actor import Connector
from actors.messages import CancelOrdersAtVenue, OrderDenied, OrderSent, PlaceOrders
from actors.model.order import Stamps
from actors.venues.contract import Batch, Output, SendFrame
from runtime.actor import HttpRequest, Started
from runtime.backoff import Backoff
from tests.actors.bench import ID, NOW, Bench, S, ScriptedProtocol, cancel, place
from tests.support.context import RecordingContext

REST = HttpRequest("rest:1", "POST", "https://venue/order")


class WithBatches(ScriptedProtocol):
    def execute_batch(self, batch: Batch, now: int) -> list[Output]:
        return self._answer("batch", list(batch))


class Watchful(ScriptedProtocol):
    watch_ns = S // 4

    def watch(self, heard: Mapping[str, int], now: int) -> list[Output]:
        return self._answer("watch", dict(heard))


def test_an_order_by_rest_is_told_as_sent_but_not_timed() -> None:
    bench = Bench()
    bench.tell(place(), REST)
    assert bench.ctx.requests == [REST]
    assert bench.ctx.told == [("order_manager", OrderSent(ID, "venue", Stamps(market_recv=5, sent=NOW)))]
    assert bench.counter("orders") == 1


def test_a_batch_goes_to_a_protocol_that_can_and_only_what_was_not_denied_is_told_as_sent() -> None:
    bench = Bench()
    bench.connector = Connector("venue", WithBatches(), 60 * S, Backoff(S, 8 * S))
    bench.protocol = bench.connector._protocol  # type: ignore[assignment]
    bench.tell(PlaceOrders([place(), place()]), REST)
    assert bench.protocol.calls == [("batch", [place(), place()])]
    assert len(bench.ctx.told_to("order_manager")) == 2
    bench.ctx.told.clear()
    bench.tell(PlaceOrders([place()]), OrderDenied(ID, "RATE_LIMITED: for a test", ""))
    (denied,) = bench.ctx.told_to("order_manager")
    assert isinstance(denied, OrderDenied)


def test_a_batch_is_sent_one_by_one_where_the_venue_has_none() -> None:
    bench = Bench()
    bench.tell(PlaceOrders([place(), place()]), SendFrame("orders", b"order"))
    assert bench.protocol.calls == [("execute", place()), ("execute", place())]
    bench.protocol.calls.clear()
    bench.tell(CancelOrdersAtVenue([cancel(), cancel()]))
    assert bench.protocol.calls == [("execute", cancel()), ("execute", cancel())]


def test_no_late_command_leaves_in_a_batch() -> None:
    bench = Bench()
    bench.tell(PlaceOrders([place(deadline=NOW - 1), place()]))
    assert bench.protocol.calls == [("execute", place())]
    (denied,) = bench.ctx.told_to("order_manager")
    assert isinstance(denied, OrderDenied)
    assert "DEADLINE_PASSED" in denied.reason


def test_a_protocol_that_falls_back_is_shown_what_was_heard_again_and_again() -> None:
    protocol, ctx = Watchful(), RecordingContext("connector.venue", time=NOW)
    connector = Connector("venue", protocol, 60 * S, Backoff(S, 8 * S))
    connector.receive(Started(), ctx)
    for _ in range(2):
        ctx.time += S // 4
        for message in ctx.due():
            connector.receive(message, ctx)
    assert protocol.calls == [("watch", {}), ("watch", {})]
