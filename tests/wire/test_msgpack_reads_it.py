"""What goes over the wire is plain MessagePack: an independent implementation reads and writes it."""

from typing import Any

import msgpack
import msgspec
import pytest
from msgspec import inspect

from actors.messages import CODEC, OrderFilled, PlaceOrder, Quote
from actors.model.order import OrderSpec, OrderType, Side, Stamps
from runtime.message import Message

TYPES = sorted(CODEC.types, key=lambda kind: kind.__name__)


def sample(kind: inspect.Type) -> Any:
    """Some plain value of this type, as it is on the wire."""
    match kind:
        case inspect.StrType():
            return "grüße"
        case inspect.BoolType():
            return True
        case inspect.IntType():
            return 1_700_000_000_123_456_789
        case inspect.FloatType():
            return 0.25
        case inspect.BytesType():
            return b"\x00\xff"
        case inspect.NoneType():
            return None
        case inspect.DecimalType():
            return "0.00010000"
        case inspect.AnyType():
            return {"a": [1, None, "b"]}
        case inspect.EnumType():
            return next(iter(kind.cls)).value
        case inspect.ListType() | inspect.VarTupleType() | inspect.CollectionType():
            return [sample(kind.item_type)] * 2
        case inspect.TupleType():
            return [sample(item) for item in kind.item_types]
        case inspect.DictType():
            return {sample(kind.key_type): sample(kind.value_type)}
        case inspect.UnionType():
            return sample(next(one for one in kind.types if not isinstance(one, inspect.NoneType)))
        case inspect.StructType():
            fields = {field.encode_name: sample(field.type) for field in kind.fields}
            if not kind.array_like:
                return fields
            return [*([] if kind.tag is None else [kind.tag]), *fields.values()]
        case _:
            raise AssertionError(f"no sample for {kind}")


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_message_is_an_array_that_begins_with_its_name(kind: type[Message]) -> None:
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    plain = sample(described)
    message = msgspec.msgpack.decode(msgpack.packb(plain), type=kind)
    read = msgpack.unpackb(msgspec.msgpack.encode(message), strict_map_key=False)
    assert read == plain
    assert read[0] == kind.__name__


def test_a_quote_is_read_by_its_positions() -> None:
    quote = Quote("binance", "BTCUSDT", "100.10", "1", "100.20", "2", 5, 7, False, 9)
    assert msgpack.unpackb(CODEC.encode(quote)) == [
        "Quote", "binance", "BTCUSDT", "100.10", "1", "100.20", "2", 5, 7, False, 9
    ]  # fmt: skip


def test_an_order_written_by_another_implementation_is_understood() -> None:
    spec = ["ab" * 16, "maker", "binance", "BTCUSDT", "BUY", "LIMIT", "0.1", "100.10", "GTC", False]
    written = msgpack.packb([["PlaceOrder", spec, [1, 2, 3, 4, 5, 0, 0], 3, 99]])
    order = OrderSpec("ab" * 16, "maker", "binance", "BTCUSDT", Side.BUY, OrderType.LIMIT, "0.1", "100.10")
    assert CODEC.decode(written) == [PlaceOrder(order, Stamps(1, 2, 3, 4, 5), 3, 99)]


def test_a_field_that_a_newer_writer_added_is_ignored() -> None:
    fill = OrderFilled("v", "c", "1", "S", "t", Side.SELL, "1", "2", "0", "BNB", True, 1, 2)
    newer = [*msgpack.unpackb(CODEC.encode(fill)), "something new"]
    assert CODEC.decode(msgpack.packb([newer])) == [fill]
