from contextlib import suppress

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.model.order_state import OrderState
from actors.orders.records import EpochBegan, Event, Record, decode, encode
from tests.orders.desk import NOW, accepted, fill, reported, submit


def test_a_record_is_a_plain_messagepack_array_that_any_reader_understands() -> None:
    data = encode(Record(NOW, 3, accepted()))
    assert msgpack.unpackb(data) == [NOW, 3, ["OrderAccepted", "binance", "0" * 31 + "1", "v1", NOW, NOW]]


@pytest.mark.parametrize("event", [EpochBegan(), submit(), accepted(), fill("t1")])
def test_what_was_written_is_read_again(event: object) -> None:
    record = Record(NOW, 1, event)  # type: ignore[arg-type]
    assert decode(encode(record)) == record


OLD = [
    "93cf17979cfe362a00000193ab5375626d69744f72646572dc0011d9203030303030303030303030303030303030303030303030303030"
    "303030303031a56d616b6572a762696e616e6365a742544355534454a3425559a54c494d4954a132a3313030a3475443c2c0c0c0c0c2c0"
    "009705060000000000",
    "93cf17979cfe362a0000019aad4f726465725265706f72746564a762696e616e6365d92030303030303030303030303030303030303030"
    "30303030303030303030303031a27631a742544355534454a3425559a132a130a84143434550544544cf17979cfe362a0000",
]
"""As they were written before an order could be changed or be part of a list."""


def test_old_records_are_still_read() -> None:
    events: list[Event] = [submit(), reported(OrderState.ACCEPTED)]
    assert [decode(bytes.fromhex(data)) for data in OLD] == [Record(NOW, 1, event) for event in events]


@given(st.binary(max_size=60))
def test_garbage_is_an_error_and_nothing_else(data: bytes) -> None:
    with suppress(msgspec.DecodeError):
        decode(data)


@given(st.integers(0, 200))
def test_a_record_cut_short_is_an_error(length: int) -> None:
    data = encode(Record(NOW, 1, submit()))
    if length < len(data):
        with pytest.raises(msgspec.DecodeError):
            decode(data[:length])
