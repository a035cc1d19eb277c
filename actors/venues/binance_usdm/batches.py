"""Several orders or cancels of USD-M in one request, each with an outcome of its own.

Only REST has it: `POST` and `DELETE /fapi/v1/batchOrders`, of five orders or of ten cancels of one symbol. Source:
https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api: Place-Multiple-Orders and
Cancel-Multiple-Orders. What cannot be in a batch (algo orders) goes by itself.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TypeVar

import msgspec

from actors.messages import CancelAtVenue, OrderAccepted, PlaceOrder
from actors.model.order import TRIGGERED
from actors.venues.binance_api.clock import VenueClock
from actors.venues.binance_api.limits import Priority, RateLimits
from actors.venues.binance_api.payloads import ErrorBody
from actors.venues.binance_usdm.order_requests import ALGO, Call, Parameters, call_for, objection
from actors.venues.binance_usdm.payloads import BatchRow
from actors.venues.binance_usdm.trading import Trading
from actors.venues.contract import BadFrame, Batch, Output
from actors.venues.refusals import lose, refuse
from runtime.actor import HttpAnswered, HttpFailed
from runtime.clock import NS_PER_MS

REQUEST = "batch:"
"""Prefix of the ids of its requests."""
PATH = "/fapi/v1/batchOrders"
MOST_ORDERS, MOST_CANCELS = 5, 10
PLACE_WEIGHT, CANCEL_WEIGHT = 5, 1

C = TypeVar("C", PlaceOrder, CancelAtVenue)


class Batches:
    def __init__(self, venue: str, trading: Trading, clock: VenueClock, limits: RateLimits) -> None:
        self._venue = venue
        self._trading = trading
        self._clock = clock
        self._limits = limits
        self._asked: dict[str, Batch] = {}
        self._last = 0
        self._decode_rows = msgspec.json.Decoder(list[BatchRow]).decode
        self._decode_error = msgspec.json.Decoder(ErrorBody).decode

    # ---- out -----------------------------------------------------------------------------------------------------

    def execute(self, batch: Batch, problem: str, now: int) -> list[Output]:
        """`problem` is why orders may not go, "" if they may."""
        outputs: list[Output] = []
        places: list[PlaceOrder] = []
        cancels: list[CancelAtVenue] = []
        for command in batch:
            if _is_alone(command):
                outputs += self._trading.execute(command, problem, now)
            elif not self._clock.is_known or (problem and isinstance(command, PlaceOrder)):
                outputs.append(refuse(self._venue, command, "NOT_CONNECTED", problem or "time not known yet", now))
            elif isinstance(command, CancelAtVenue):
                cancels.append(command)
            elif reason := objection(command.order, self._clock.time(now)):
                code, _, words = reason.partition(": ")
                outputs.append(refuse(self._venue, command, code, words, now))
            else:
                self._trading.remember(command.order)
                places.append(command)
        for group in _cut(places, MOST_ORDERS):
            rows = [call_for(place, self._clock.time(now)).parameters for place in group]
            text = msgspec.json.encode([{name: str(value) for name, value in row.items()} for row in rows]).decode()
            call = Call(PATH, {"batchOrders": text}, PLACE_WEIGHT, Priority.NEW, verb="POST", orders=len(group))
            outputs += self._ask(group, call, now)
        for symbol, same in groupby(sorted(cancels, key=_which), key=lambda cancel: cancel.symbol):
            for known, ones in groupby(same, key=lambda cancel: bool(cancel.venue_order_id)):
                for some in _cut(list(ones), MOST_CANCELS):
                    name = "orderIdList" if known else "origClientOrderIdList"
                    ids = [int(one.venue_order_id) if known else one.client_order_id for one in some]
                    parameters: Parameters = {"symbol": symbol, name: msgspec.json.encode(ids).decode()}
                    call = Call(PATH, parameters, CANCEL_WEIGHT, Priority.CANCEL, verb="DELETE")
                    outputs += self._ask(some, call, now)
        return outputs

    def _ask(self, commands: Batch, call: Call, now: int) -> list[Output]:
        wait = self._limits.spend(call.weight, call.priority, now, call.orders)
        if wait:
            words = f"for {wait // NS_PER_MS} ms more"
            return [refuse(self._venue, command, "RATE_LIMITED", words, now) for command in commands]
        self._last += 1
        id = f"{REQUEST}{self._last}"
        self._asked[id] = commands
        return [self._trading.signed_request(id, call, now)]

    # ---- in ------------------------------------------------------------------------------------------------------

    def on_http(self, answer: HttpAnswered | HttpFailed, now: int) -> list[Output]:
        commands: Batch = self._asked.pop(answer.id, ())
        if isinstance(answer, HttpFailed):
            if answer.sent:
                return [lose(self._venue, command, f"NO_ANSWER: {answer.reason}", now) for command in commands]
            return [refuse(self._venue, command, "NOT_CONNECTED", answer.reason, now) for command in commands]
        if answer.status != 200:
            error = self._error(answer.body)
            return [output for each in commands for output in self._trading.refused(each, answer.status, error, now)]
        try:
            rows = self._decode_rows(answer.body)
            if len(rows) != len(commands):
                raise ValueError(f"{len(rows)} outcomes of {len(commands)} commands")
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            lost = [lose(self._venue, command, f"MALFORMED: {error}", now) for command in commands]
            return [*lost, BadFrame(answer.id, answer.body, str(error), drop_link=False)]
        outputs: list[Output] = []
        for command, row in zip(commands, rows, strict=True):
            if row.code not in (0, 200):
                outputs += self._trading.refused(command, 400, ErrorBody(row.code, row.msg), now)
            elif isinstance(command, PlaceOrder):
                ts_venue, id = row.update_time * NS_PER_MS, command.order.client_order_id
                outputs.append(OrderAccepted(self._venue, id, str(row.order_id), ts_venue, answer.ts_recv))
        return outputs

    def _error(self, body: bytes) -> ErrorBody:
        try:
            return self._decode_error(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return ErrorBody(0, "not understood")


def _is_alone(command: PlaceOrder | CancelAtVenue) -> bool:
    if isinstance(command, PlaceOrder):
        return command.order.type in TRIGGERED
    return command.venue_order_id.startswith(ALGO)


def _which(cancel: CancelAtVenue) -> tuple[str, bool]:
    return cancel.symbol, bool(cancel.venue_order_id)


def _cut(commands: Sequence[C], most: int) -> Iterator[Sequence[C]]:
    return (commands[first : first + most] for first in range(0, len(commands), most))
