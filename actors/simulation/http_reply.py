"""An HTTP answer of a fake venue, and the faults that can happen to it."""

from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

import msgspec

from actors.simulation.corruption import corrupted
from actors.simulation.fault_desk import FaultDesk, parse_faults
from actors.simulation.faults import (
    Corrupt,
    Cut,
    Delay,
    Delivery,
    Drop,
    Freeze,
    RefuseConnect,
    RequestFault,
)

_NS_PER_MS = 1_000_000


class HttpReply(NamedTuple):
    """`delay_ns` and `delivery` are what the shell does with it; they are for faults."""

    status: int
    headers: dict[str, str]
    body: bytes
    delay_ns: int = 0
    delivery: Delivery = Delivery.WHOLE


NOT_FOUND = HttpReply(404, {"Content-Type": "text/html"}, b"<html><body><h2>404 Not found</h2></body></html>")
NO_REPLY = HttpReply(0, {}, b"", delivery=Delivery.CUT)
SILENCE = HttpReply(0, {}, b"", delivery=Delivery.NEVER)


def json_reply(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpReply:
    all_headers = {"Content-Type": "application/json;charset=UTF-8"} | dict(headers or {})
    return HttpReply(status, all_headers, msgspec.json.encode(body))


def refused_connection(fault: RefuseConnect) -> HttpReply:
    if fault.status is None:
        return NO_REPLY
    return HttpReply(fault.status, {"Content-Type": "text/html"}, b"")


def answer_under_faults(
    desk: FaultDesk,
    random: Random,
    operation: str,
    route: str,
    now: int,
    run: Callable[[RequestFault | None], HttpReply],
) -> HttpReply:
    """What `run` answers, as the fault of this request leaves it; `operation` and `route` are its two names.

    A fault that is about the answer's words is handed to `run`.
    """
    match fault := desk.answer_fault(operation, route, now):
        case RefuseConnect():
            return refused_connection(fault)
        case Freeze():
            return SILENCE
        case Cut():
            run(None)
            return NO_REPLY
        case Drop():
            run(None)
            return SILENCE
        case Delay():
            return run(None)._replace(delay_ns=fault.delay_ms * _NS_PER_MS)
        case Corrupt():
            reply = run(None)
            return reply._replace(body=corrupted(reply.body, fault, random))
        case _:
            return run(fault)


def answer_fault_window(desk: FaultDesk, method: str, query: Mapping[str, str], body: str, now: int) -> HttpReply:
    """`/fake/faults`: GET what there is and has happened, POST a fault or a list of them, DELETE one (`id`) or all."""
    match method:
        case "GET":
            return json_reply(desk.report(now))
        case "POST":
            try:
                faults = parse_faults(body)
            except msgspec.DecodeError as error:
                return json_reply({"code": -1100, "msg": str(error)}, 400)
            return json_reply({"ids": desk.add(*faults, now=now)})
        case "DELETE":
            fault_id = query.get("id")
            if fault_id is not None and not fault_id.isdecimal():
                return json_reply({"code": -1100, "msg": "id: an integer"}, 400)
            desk.remove(int(fault_id) if fault_id is not None else None, now=now)
            return json_reply({})
        case _:
            return json_reply({"code": -1020, "msg": "This operation is not supported."}, 405)
