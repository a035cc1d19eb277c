"""The REST face of futures: the spot venue's way of answering on the paths of futures, and listen keys.

Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info
"""

from collections.abc import Callable, Mapping

from actors.simulation.binance.fault_answers import Unanswered, answer_under
from actors.simulation.binance.limits import Limits
from actors.simulation.binance.operations import Operation, PublicOperation, charge
from actors.simulation.binance.parameters import Parameters
from actors.simulation.binance.refusal import Refusal
from actors.simulation.binance.security import Security
from actors.simulation.binance_usdm.listen_keys import ListenKeys
from actors.simulation.binance_usdm.operations import ROUTES
from actors.simulation.faults import RequestFault
from actors.simulation.http_reply import NO_REPLY, NOT_FOUND, HttpReply, json_reply

_LISTEN_KEY = "/fapi/v1/listenKey"


class FuturesRest:
    def __init__(
        self, operations: dict[str, Operation], security: Security, limits: Limits, listen_keys: ListenKeys
    ) -> None:
        self._operations = operations
        self._security = security
        self._limits = limits
        self._listen_keys = listen_keys

    def name(self, method: str, path: str) -> str:
        """Of the operation; empty when there is none."""
        return f"listenKey.{method}" if path == _LISTEN_KEY else ROUTES.get((method, path), "")

    def answer(
        self,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: str,
        now: int,
        fault: RequestFault | None = None,
    ) -> HttpReply:
        name = self.name(method, path)
        if not name:
            return NOT_FOUND
        run: Callable[[], object] = lambda: self._run(name, query, headers, body, now)  # noqa: E731
        if path == _LISTEN_KEY:
            run = lambda: self._listen_key(method, headers, now)  # noqa: E731
        try:
            answer = answer_under(fault, now, run)
        except Refusal as refusal:
            usage = self._limits.weight_headers(now)
            if refusal.retry_after_s is not None:
                usage["Retry-After"] = str(refusal.retry_after_s)
            return json_reply(refusal.body(), refusal.status, usage)
        except Unanswered:
            return NO_REPLY
        usage = self._limits.weight_headers(now)
        operation = self._operations.get(name)
        if operation is not None and not isinstance(operation, PublicOperation) and operation.counts_orders:
            usage |= self._limits.order_headers(now)
        return json_reply(answer, headers=usage)

    def _run(self, name: str, query: str, headers: Mapping[str, str], body: str, now: int) -> object:
        operation = self._operations[name]
        parameters = Parameters.from_request(query, body)
        weight = charge(operation, parameters, self._limits, now)
        if isinstance(operation, PublicOperation):
            return operation.run(parameters, now)
        account = self._security.check_rest(_key(headers), query, body, parameters, now)
        answer = operation.run(account, parameters, now)
        if operation.counts_orders:
            self._limits.refund(weight, now)
        return answer

    def _listen_key(self, method: str, headers: Mapping[str, str], now: int) -> object:
        """Needs the key, but no signature."""
        self._limits.charge(1, now)
        account = self._security.account(_key(headers))
        match method:
            case "POST":
                return {"listenKey": self._listen_keys.start(account, now)}
            case "PUT":
                return {"listenKey": self._listen_keys.keep_alive(account, now)}
            case "DELETE":
                return self._listen_keys.stop(account, now)
            case _:
                raise Refusal(-1020, "This operation is not supported.", status=405)


def _key(headers: Mapping[str, str]) -> str:
    """Header names have no case."""
    return next((value for name, value in headers.items() if name.lower() == "x-mbx-apikey"), "")
