"""`modify` as a strategy sees it."""

import msgspec
import pytest

from actors.messages import CancelOrder, ModifyOrder
from actors.model.order import OrderSpec, Stamps
from actors.model.order_state import OrderState
from runtime.actor import Undelivered
from tests.strategy.desk import BTC, NOW, TestDesk, quote, update
from tests.strategy.test_orders import Recorder, told


def a_working_order(strategy: Recorder) -> tuple[TestDesk, OrderSpec]:
    desk = TestDesk(strategy)
    strategy.buy(BTC, 2, 100)
    (order,) = desk.submitted()
    desk.receive(update(order, OrderState.ACCEPTED))
    strategy.updates.clear()
    return desk, order


def test_a_change_is_sent_with_the_time_of_the_market_data_that_caused_it() -> None:
    class Mover(Recorder):
        changed: str | None = None

        def on_quote(self, quote: object) -> None:
            (key,) = self.orders
            self.changed = self.modify(key, price="101.5")

    strategy = Mover()
    desk, order = a_working_order(strategy)
    desk.receive(quote("100", "102", ts_recv=NOW - 5))
    assert strategy.changed is not None
    assert told(desk)[1:] == [
        ModifyOrder(order.client_order_id, "maker", strategy.changed, "", "101.5", Stamps(NOW - 5, NOW))
    ]
    assert strategy.orders[order.client_order_id].state is OrderState.PENDING_UPDATE
    strategy.buy(BTC, 1, 100)
    assert desk.submitted()[-1].client_order_id not in (order.client_order_id, strategy.changed)


def test_a_new_quantity_is_of_the_whole_order() -> None:
    strategy = Recorder()
    desk, order = a_working_order(strategy)
    strategy.modify(order.client_order_id, quantity=3)
    assert [(one.quantity, one.price) for one in told(desk)[1:] if isinstance(one, ModifyOrder)] == [("3", "")]


@pytest.mark.parametrize(
    "state", [OrderState.SENT, OrderState.PENDING_UPDATE, OrderState.PENDING_CANCEL, OrderState.UNKNOWN]
)
def test_an_order_with_which_something_is_under_way_is_not_changed(state: OrderState) -> None:
    strategy = Recorder()
    desk, order = a_working_order(strategy)
    desk.receive(update(order, state))
    assert strategy.modify(order.client_order_id, price=1) is None
    assert strategy.modify("f" * 32, price=1) is None
    assert len(told(desk)) == 1


def test_a_change_without_a_number_or_with_a_bad_one_is_a_mistake() -> None:
    strategy = Recorder()
    _, order = a_working_order(strategy)
    with pytest.raises(ValueError, match="modify needs a quantity, a price, or both"):
        strategy.modify(order.client_order_id)
    with pytest.raises(TypeError, match="price must be Decimal, str or int"):
        strategy.modify(order.client_order_id, price=0.1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="quantity must be a positive number"):
        strategy.modify(order.client_order_id, quantity=0)
    assert strategy.orders[order.client_order_id].state is OrderState.ACCEPTED


@pytest.mark.parametrize(("filled", "state"), [("0", OrderState.ACCEPTED), ("1", OrderState.PARTIALLY_FILLED)])
def test_a_change_that_did_not_reach_the_order_manager_leaves_the_order(filled: str, state: OrderState) -> None:
    strategy = Recorder()
    desk, order = a_working_order(strategy)
    desk.receive(update(order, OrderState.PARTIALLY_FILLED, filled))
    strategy.updates.clear()
    strategy.modify(order.client_order_id, price=101)
    desk.receive(Undelivered("order_manager", told(desk)[-1], "nobody there"))
    assert [(seen.state, seen.reason) for seen in strategy.updates] == [(state, "UNDELIVERED: nobody there")]
    assert strategy.orders[order.client_order_id].state is state


def test_what_was_heard_meanwhile_is_not_overwritten_by_a_change_that_did_not_arrive() -> None:
    strategy = Recorder()
    desk, order = a_working_order(strategy)
    strategy.modify(order.client_order_id, price=101)
    message = told(desk)[-1]
    desk.receive(update(order, OrderState.FILLED, "2"))
    desk.receive(Undelivered("order_manager", message, "nobody there"))
    assert strategy.orders == {}


def test_a_strategy_that_cancels_waits_for_what_takes_the_place_of_the_order() -> None:
    strategy = Recorder()
    desk, order = a_working_order(strategy)
    new_id = strategy.modify(order.client_order_id, price=101)
    assert new_id is not None
    strategy.cancel(order.client_order_id)
    assert told(desk)[-1] == CancelOrder(order.client_order_id, "maker")
    after = msgspec.structs.replace(order, client_order_id=new_id, replaces=order.client_order_id)
    desk.receive(update(after, OrderState.SENT))
    desk.receive(update(order, OrderState.CANCELED))
    assert not desk.actor.is_finished()
    desk.receive(update(after, OrderState.CANCELED))
    assert desk.actor.is_finished()
