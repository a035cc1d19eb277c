"""Events of the account's own link: decoded, and what they mean for the desk."""

from typing import assert_never

import msgspec

from actors.venues.binance_usdm.executions import Executions
from actors.venues.binance_usdm.listen_key import ListenKeyStream
from actors.venues.binance_usdm.payloads import (
    AccountConfigUpdate,
    AccountUpdate,
    AlgoUpdate,
    AnyUserEvent,
    GridUpdate,
    ListenKeyExpired,
    MarginCall,
    OrderTradeUpdate,
    StrategyUpdate,
    TradeLite,
    TriggerRejected,
)
from actors.venues.contract import BadFrame, Output

SERIOUS = frozenset({"ORDER_TRADE_UPDATE", "ALGO_UPDATE", "listenKeyExpired"})
"""Events that tell about our orders: one that cannot be read costs the link."""


class Envelope(msgspec.Struct):
    """`kind` and `data` of an event as it is or as it comes in a combined stream; an `id` marks an answer."""

    kind: str = msgspec.field(name="e", default="")
    data: msgspec.Raw = msgspec.Raw()
    id: int | str | None = None


class UserStream:
    def __init__(self, executions: Executions, listen_key: ListenKeyStream) -> None:
        self._executions = executions
        self._listen_key = listen_key
        self._decode_envelope = msgspec.json.Decoder(Envelope).decode
        self._decode_event: msgspec.json.Decoder[AnyUserEvent] = msgspec.json.Decoder(AnyUserEvent)
        self.is_heard = False
        self.problem = "LINK_DOWN: not connected yet"

    def on_link_up(self) -> None:
        self.is_heard = True
        self.problem = ""

    def on_link_down(self, reason: str) -> None:
        self.is_heard = False
        self.problem = f"LINK_DOWN: {reason}"

    def on_frame(self, link: str, payload: bytes, ts_recv: int) -> list[Output]:
        kind = ""
        try:
            envelope = self._decode_envelope(payload)
            if envelope.id is not None and not envelope.kind:
                return []
            data = bytes(envelope.data) if not envelope.kind and envelope.data else payload
            kind = envelope.kind or self._decode_envelope(data).kind
            if self._listen_key.repeats(data):
                return []
            return self._on_event(self._decode_event.decode(data), ts_recv)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"
            return [BadFrame(link, payload, reason, drop_link=not kind or kind in SERIOUS)]

    def _on_event(self, event: AnyUserEvent, ts_recv: int) -> list[Output]:
        match event:
            case OrderTradeUpdate():
                return self._executions.order(event.order, ts_recv)
            case AlgoUpdate():
                return self._executions.algo(event, ts_recv)
            case AccountUpdate():
                return self._executions.account_changed(event, ts_recv)
            case ListenKeyExpired():
                self.on_link_down("listen key expired")
                return self._listen_key.expired()
            case (
                TradeLite() | AccountConfigUpdate() | MarginCall() | TriggerRejected() | StrategyUpdate() | GridUpdate()
            ):
                return []
            case _:
                assert_never(event)
