"""Klines and trades of the past: pages, gaps, and the limits they keep."""

from typing import Any

import msgspec

from actors.messages import HistoryFailed, HistoryPage, QueryHistory
from actors.model.order import Side
from actors.venues.contract import BadFrame, HistorySource, Output, WakeUp
from runtime.actor import HttpAnswered, HttpFailed, HttpRequest
from tests.venues.binance_spot import NOW, S, a_venue, of

MINUTE = 60 * S
START = 1_600_000_020 * S
"""A full minute."""


def query(kind: str = "kline_1m", start: int = START, end: int = START + 1500 * MINUTE) -> QueryHistory:
    return QueryHistory("strategy.a", "7", kind, "BTCUSDT", start, end)


def row(minute: int) -> list[object]:
    start = (START + minute * MINUTE) // 1_000_000
    return [start, "1", "3", "0.5", "2", "10", start + 59_999, "15", 4, "6", "9", "0"]


def tick(number: int, at: int = START) -> dict[str, object]:
    return {"a": number, "p": "1", "q": "2", "f": number, "l": number, "T": at // 1_000_000, "m": False, "M": True}


def answered(outputs: list[Output], body: object, status: int = 200) -> HttpAnswered:
    (request,) = of(HttpRequest, outputs)
    return HttpAnswered(request.id, status, {}, msgspec.json.encode(body), NOW)


def path(outputs: list[Output]) -> str:
    (request,) = of(HttpRequest, outputs)
    return request.url.removeprefix("https://api.binance.com/api/v3/")


def test_klines_come_in_pages_without_a_gap() -> None:
    venue = a_venue()
    assert isinstance(venue, HistorySource)
    asked = venue.query_history(query(), NOW)
    assert path(asked) == ("klines?symbol=BTCUSDT&limit=1000&interval=1m&startTime=1600000020000&endTime=1600090019999")
    outputs = venue.on_http(answered(asked, [row(minute) for minute in range(1000)]), NOW)
    (first,) = of(HistoryPage, outputs)
    assert path(outputs) == (
        "klines?symbol=BTCUSDT&limit=1000&interval=1m&startTime=1600060020000&endTime=1600090019999"
    )
    (last,) = venue.on_http(answered(outputs, [row(minute) for minute in range(1000, 1500)]), NOW)
    assert isinstance(last, HistoryPage)
    assert (len(first.klines), first.gaps, first.complete) == (1000, [], False)
    assert (len(last.klines), last.gaps, last.complete) == (500, [], True)
    bar = last.klines[-1]
    assert (bar.start, bar.end, bar.open, bar.high, bar.low, bar.close, bar.closed) == (
        START + 1499 * MINUTE,
        START + 1500 * MINUTE,
        "1",
        "3",
        "0.5",
        "2",
        True,
    )
    assert (last.reply_to, last.request_id) == ("strategy.a", "7")


def test_missing_klines_are_told_before_within_and_after() -> None:
    venue = a_venue()
    asked = venue.query_history(query(start=START - 1, end=START + 10 * MINUTE), NOW)
    (page,) = venue.on_http(answered(asked, [row(2), row(3), row(6)]), NOW)
    assert isinstance(page, HistoryPage)
    assert page.gaps == [
        (START, START + 2 * MINUTE),
        (START + 4 * MINUTE, START + 6 * MINUTE),
        (START + 7 * MINUTE, START + 10 * MINUTE),
    ]


def test_trades_go_on_by_their_ids_until_the_end() -> None:
    venue = a_venue()
    asked = venue.query_history(query("aggtrade", end=START + S), NOW)
    assert path(asked) == "aggTrades?symbol=BTCUSDT&limit=1000&startTime=1600000020000&endTime=1600000020999"
    outputs = venue.on_http(answered(asked, [tick(number) for number in range(1000)]), NOW)
    assert path(outputs) == "aggTrades?symbol=BTCUSDT&limit=1000&fromId=1000"
    late = [tick(1002), tick(1003), *(tick(number, START + S) for number in range(1004, 2002))]
    (page,) = venue.on_http(answered(outputs, late), NOW)
    assert isinstance(page, HistoryPage)
    assert [trade.trade_id for trade in page.trades] == ["1002", "1003"]
    assert page.trades[0].aggressor is Side.BUY
    assert page.gaps == [(1000, 1002)]
    assert page.complete


def test_a_failed_page_is_asked_for_again_ever_later_and_given_up_in_the_end() -> None:
    venue = a_venue()
    outputs = venue.query_history(query(), NOW)
    delays = []
    for attempt in range(6):
        (request,) = of(HttpRequest, outputs)
        answer: Any = HttpFailed(request.id, "reset", sent=True) if attempt % 2 else answered(outputs, {}, 500)
        outputs = venue.on_http(answer, NOW)
        if wake_ups := of(WakeUp, outputs):
            delays.append(wake_ups[0].delay_ns // S)
            outputs = venue.on_wake_up(wake_ups[0].tag, NOW)
    assert delays == [1, 2, 4, 8, 16]
    assert outputs == [HistoryFailed("strategy.a", "7", "NO_ANSWER: reset")]


def test_what_would_be_refused_again_is_not_repeated() -> None:
    venue = a_venue()
    outputs = venue.query_history(query(), NOW)
    refused = answered(outputs, {"code": -1121, "msg": "Invalid symbol."}, 400)
    assert venue.on_http(refused, NOW) == [HistoryFailed("strategy.a", "7", "REFUSED: status 400")]
    assert venue.query_history(query("funding"), NOW) == [
        HistoryFailed("strategy.a", "7", "NOT_SUPPORTED: there is no history of funding")
    ]


def test_garbage_fails_one_query_and_the_next_one_goes_on() -> None:
    venue = a_venue()
    first = venue.query_history(query(), NOW)
    assert venue.query_history(query("aggtrade"), NOW) == []
    bad, failed, request = venue.on_http(answered(first, [["x"]]), NOW)
    assert isinstance(bad, BadFrame)
    assert isinstance(failed, HistoryFailed)
    assert isinstance(request, HttpRequest)
    assert "aggTrades" in request.url


def test_history_leaves_half_of_the_limit_to_everything_else() -> None:
    venue = a_venue()
    outputs: list[Output] = []
    asked = 0
    for _ in range(900):
        outputs = venue.query_history(query("aggtrade"), NOW)
        if not of(HttpRequest, outputs):
            break
        asked += 1
        venue.on_http(answered(outputs, []), NOW)
    assert asked == 750
    assert [wake_up.tag for wake_up in of(WakeUp, outputs)] == ["history"]
