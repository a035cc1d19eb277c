"""What the configuration says about an account of contracts, brought to the venue before the first order may go.

Position mode, then margin mode and leverage of each symbol; afterwards, if wanted, the venue's dead-man switch: it
cancels all orders of a symbol unless it is told again in time. Sources: https://developers.binance.com/docs/derivatives/
usds-margined-futures/trade/rest-api: Change-Position-Mode, Change-Margin-Type, Change-Initial-Leverage and
Auto-Cancel-All-Open-Orders.
"""

from collections import deque
from collections.abc import Sequence

from actors.settings import ContractSettings
from actors.venues.binance_api.limits import Priority
from actors.venues.binance_usdm.order_requests import Call

RENEWALS = 4
"""The dead-man switch is told so many times within its span."""


class AccountSettings:
    """Hands out one request after the other; `is_done` once the venue has taken them all."""

    def __init__(self, settings: ContractSettings, symbols: Sequence[str]) -> None:
        self._settings = settings
        self._symbols = symbols
        self._waiting: deque[Call] = deque()
        self.applied: dict[str, str] = {}
        self._is_doubted = False
        self.doubt()

    def trust(self) -> None:
        """The account's stream is heard: it tells of changes."""
        self._is_doubted = False

    def doubt(self) -> None:
        """The stream is not heard: everything again, for somebody else may have changed it; once until it is heard, so
        that orders by REST are not stopped by each try to open the stream."""
        if self._is_doubted:
            return
        self._is_doubted = True
        settings = self._settings
        self._waiting.clear()
        self.applied.clear()
        if settings.hedge_mode is not None:
            hedged = "true" if settings.hedge_mode else "false"
            self._add("/fapi/v1/positionSide/dual", {"dualSidePosition": hedged})
        for symbol in self._symbols:
            if settings.margin_mode is not None:
                mode = {"cross": "CROSSED", "isolated": "ISOLATED"}[settings.margin_mode]
                self._add("/fapi/v1/marginType", {"symbol": symbol, "marginType": mode})
            if settings.leverage is not None:
                self._add("/fapi/v1/leverage", {"symbol": symbol, "leverage": settings.leverage})

    @property
    def is_done(self) -> bool:
        return not self._waiting

    def next(self) -> Call | None:
        return self._waiting[0] if self._waiting else None

    def taken(self) -> None:
        """The venue has taken what `next` said, or had it already."""
        parameters = self._waiting.popleft().parameters
        symbol = str(parameters.get("symbol", ""))
        for name, value in parameters.items():
            if name != "symbol":
                self.applied[f"{name} {symbol}".rstrip()] = str(value)

    # ---- the dead-man switch

    @property
    def renew_ns(self) -> int:
        """0 without one."""
        return int((self._settings.cancel_all_after_s or 0) * 1e9) // RENEWALS

    def countdowns(self) -> list[Call]:
        """One for each symbol."""
        span_ms = int((self._settings.cancel_all_after_s or 0) * 1000)
        return [
            Call(
                "/fapi/v1/countdownCancelAll",
                {"symbol": symbol, "countdownTime": span_ms},
                10,
                Priority.CANCEL,
                verb="POST",
            )
            for symbol in self._symbols
        ]

    def _add(self, path: str, parameters: dict[str, str | int | bool]) -> None:
        self._waiting.append(Call(path, parameters, 1, Priority.QUERY, verb="POST"))
