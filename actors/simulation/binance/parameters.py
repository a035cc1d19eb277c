"""The parameters of one request: each read by name and kind, and none left unread."""

import re
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from actors.simulation.binance.refusal import Refusal, mandatory

_Choice = TypeVar("_Choice", bound=Enum)

_NUMBER = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_CLIENT_ORDER_ID = r"^[a-zA-Z0-9-_]{1,36}$"
_MAX_DECIMALS = 8


class Parameters:
    """Values are text as the client sent them. `done` refuses a request with a parameter that nobody read."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self._read: set[str] = set()

    @classmethod
    def from_request(cls, query: str, body: str) -> "Parameters":
        """What is in both the query and the body counts as in the query."""
        pairs = parse_qsl(body, keep_blank_values=True)
        query_pairs = parse_qsl(query, keep_blank_values=True)
        if len(dict(query_pairs)) < len(query_pairs):
            raise Refusal(-1101, "Duplicate values for a parameter detected.")
        return cls(dict(pairs) | dict(query_pairs))

    def text(self, name: str) -> str | None:
        self._read.add(name)
        value = self._values.get(name)
        if value == "":
            raise Refusal(-1105, f"Parameter '{name}' was empty.")
        return value

    def required(self, name: str) -> str:
        self._read.add(name)
        if not (value := self._values.get(name)):
            raise mandatory(name)
        return value

    def decimal(self, name: str) -> Decimal | None:
        """A positive number with at most eight decimals."""
        value = self.text(name)
        if value is None:
            return None
        if not re.match(_NUMBER, value):
            raise Refusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{_NUMBER}'.")
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise mandatory(name) from None
        exponent = number.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > _MAX_DECIMALS:
            raise Refusal(-1111, f"Parameter '{name}' has too much precision.")
        return number

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not re.match(r"^-?[0-9]{1,20}$", value):
            raise Refusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
        return int(value)

    def milliseconds(self, name: str) -> int | None:
        """A time in milliseconds or microseconds, as milliseconds."""
        value = self.integer(name)
        return value // 1000 if value is not None and value > 10**14 else value

    def choice(self, name: str, choices: type[_Choice], refusal: Refusal) -> _Choice | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            return choices(value)
        except ValueError:
            raise refusal from None

    def client_order_id(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and not re.match(_CLIENT_ORDER_ID, value):
            message = f"Illegal characters found in parameter '{name}'; legal range is '{_CLIENT_ORDER_ID}'."
            raise Refusal(-1100, message)
        return value

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false"):
            raise Refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
        return value.lower() == "true"

    def limit(self, default: int, maximum: int) -> int:
        """A limit above the maximum counts as the maximum."""
        value = self.integer("limit")
        if value is None:
            return default
        if value < 1:
            raise Refusal(-1130, "Data sent for parameter 'limit' is not valid.")
        return min(value, maximum)

    def symbols(self) -> list[str] | None:
        """`symbol` as a list of one, or `symbols`, a JSON array; None when neither was sent."""
        symbol, symbols = self.text("symbol"), self.text("symbols")
        if symbol is not None and symbols is not None:
            raise Refusal(-1128, "Combination of optional parameters invalid.")
        if symbol is not None:
            return [symbol]
        if symbols is None:
            return None
        try:
            return msgspec.json.decode(symbols, type=list[str])
        except msgspec.DecodeError:
            message = (
                "Illegal characters found in parameter 'symbols'; legal range is '^\\[(\"[A-Z0-9-_.]{1,20}\")...\\]$'."
            )
            raise Refusal(-1100, message) from None

    def given(self, name: str) -> bool:
        """Whether it was sent, for parameters that decide which others count."""
        self._read.add(name)
        return bool(self._values.get(name))

    def done(self) -> None:
        unread = len(self._values.keys() - self._read)
        if unread:
            sent = len(self._values)
            message = f"Not all sent parameters were read; read '{sent - unread}' parameter(s) but was sent '{sent}'."
            raise Refusal(-1104, message)
