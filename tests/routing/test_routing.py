from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from actors.model.order import OrderSpec, OrderType, Side
from actors.routing.scoring import Candidate, Weights, decide, price_after_fees

D = Decimal
WEIGHTS = Weights()


def order(side: Side = Side.BUY, price: str | None = None, venue: str = "", quantity: str = "1") -> OrderSpec:
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    return OrderSpec("0" * 32, "maker", venue, "BTCUSDT", side, kind, quantity, price)


def venue(
    name: str, bid: str = "99", ask: str = "100", fee: str = "0", quantity: str = "10", ms: float = 0.0,
    success: float = 1.0, up: bool = True, lists: bool = True,
) -> Candidate:  # fmt: skip
    return Candidate(name, up, lists, D(bid), D(ask), D(quantity), D(quantity), D(0), D(fee), ms, success)


def chosen(*candidates: Candidate, side: Side = Side.BUY, price: str | None = None) -> str | None:
    return decide(order(side, price), candidates, WEIGHTS).venue


def test_a_buyer_goes_where_it_is_cheapest_after_fees() -> None:
    assert chosen(venue("a", ask="100", fee="0.002"), venue("b", ask="100.1")) == "b"
    assert chosen(venue("a", ask="100", fee="0.0005"), venue("b", ask="100.1")) == "a"


def test_a_seller_goes_where_most_is_left_after_fees() -> None:
    assert chosen(venue("a", bid="99"), venue("b", bid="99.1", fee="0.002"), side=Side.SELL) == "a"


def test_a_resting_order_pays_the_makers_fee_on_its_own_price() -> None:
    candidate = Candidate("a", bid=D(99), ask=D(100), maker_fee=D("0.001"), taker_fee=D("0.002"))
    assert price_after_fees(order(price="98"), candidate) == D("98.098")
    assert price_after_fees(order(price="101"), candidate) == D("100.200")
    assert price_after_fees(order(Side.SELL, price="101"), candidate) == D("100.899")


def test_at_the_same_price_the_deeper_then_the_faster_then_the_more_reliable_is_chosen() -> None:
    assert chosen(venue("a", quantity="0.1"), venue("b")) == "b"
    assert chosen(venue("a", ms=80), venue("b", ms=3)) == "b"
    assert chosen(venue("a", success=0.9), venue("b")) == "b"
    assert chosen(venue("b"), venue("a")) == "a"


def test_every_candidate_is_explained() -> None:
    decision = decide(
        order(),
        [venue("a", ms=10), venue("b", ask="101"), venue("c", up=False), venue("d", lists=False), Candidate("e")],
        WEIGHTS,
    )
    assert decision.venue == "a"
    assert decision.reasons == [
        "a: 0.100 bps = price 0.000 (100 after fees) + depth 0.000 + latency 0.100 (10.0 ms) + failures 0.000, chosen",
        "b: 100.000 bps = price 100.000 (101 after fees) + depth 0.000 + latency 0.000 (0.0 ms) + failures 0.000",
        "c: excluded, down",
        "d: excluded, BTCUSDT is not traded there",
        "e: excluded, no quote",
    ]


def test_an_order_that_names_its_venue_goes_there_and_the_others_are_explained() -> None:
    decision = decide(order(venue="b"), [venue("a"), venue("b", ask="200"), venue("c", up=False)], WEIGHTS)
    assert decision.venue == "b"
    assert decision.reasons == [
        "a: excluded, the order names b",
        "b: chosen, the order names it",
        "c: excluded, the order names b",
    ]


def test_a_refusal_says_why() -> None:
    assert decide(order(), [venue("a", up=False), venue("b", up=False)], WEIGHTS).refusal == "VENUE_DOWN: a, b"
    assert decide(order(), [venue("a", lists=False)], WEIGHTS).refusal == "UNKNOWN_INSTRUMENT: no venue for BTCUSDT"
    assert decide(order(), [Candidate("a")], WEIGHTS).refusal == "NO_PRICE: no quote of BTCUSDT"
    assert decide(order(venue="x"), [venue("a")], WEIGHTS).refusal == "UNKNOWN_INSTRUMENT: no venue for BTCUSDT"


PRICES = st.decimals(1, 1000, places=2)
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        venue=st.sampled_from("abcdef"),
        up=st.booleans(),
        lists=st.booleans(),
        bid=st.none() | PRICES,
        ask=PRICES,
        ask_quantity=st.decimals(0, 10, places=1),
        taker_fee=st.decimals(0, "0.01", places=4),
        ack_ms=st.floats(0, 1000),
        success=st.floats(0, 1),
    ),
    unique_by=lambda candidate: candidate.venue,
    max_size=6,
)


@given(CANDIDATES, st.sampled_from(Side), st.randoms(use_true_random=False))
def test_a_decision_names_an_open_venue_explains_all_and_does_not_depend_on_their_order(
    candidates: list[Candidate], side: Side, random: object
) -> None:
    decision = decide(order(side), candidates, WEIGHTS)
    open_ = {one.venue for one in candidates if one.up and one.lists and one.bid is not None}
    assert decision.venue in open_ if open_ else decision.venue is None
    assert (decision.refusal == "") == bool(open_)
    assert [line.partition(":")[0] for line in decision.reasons] == [one.venue for one in candidates]
    random.shuffle(candidates)  # type: ignore[attr-defined]
    assert decide(order(side), candidates, WEIGHTS).venue == decision.venue
