from contextlib import suppress

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.orders.records import EpochBegan, Record, decode, encode
from tests.orders.desk import NOW, accepted, fill, submit


def test_a_record_is_a_plain_messagepack_array_that_any_reader_understands() -> None:
    data = encode(Record(NOW, 3, accepted()))
    assert msgpack.unpackb(data) == [NOW, 3, ["OrderAccepted", "binance", "0" * 31 + "1", "v1", NOW, NOW]]


@pytest.mark.parametrize("event", [EpochBegan(), submit(), accepted(), fill("t1")])
def test_what_was_written_is_read_again(event: object) -> None:
    record = Record(NOW, 1, event)  # type: ignore[arg-type]
    assert decode(encode(record)) == record


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
