"""Frames of a stream: what one turn sends shares them, and however the bytes are cut, the same messages come out."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import PeerFault
from runtime.message import Message
from runtime.protocol import PatternsChanged, TopicShed
from runtime.transport.stream import MESSAGES_PER_FRAME, FrameReader, Stream
from runtime.transport.wire import Codec

CODEC = Codec((TopicShed, PatternsChanged))


class Pipe(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class Owner:
    def stream_up(self, stream: Stream) -> None: ...

    def stream_read(self, stream: Stream, messages: FrameReader) -> None: ...

    def stream_writable(self, stream: Stream) -> None: ...

    def stream_down(self, stream: Stream, reason: str) -> None: ...


def open_stream(pipe: Pipe) -> tuple[Stream, list[Stream]]:
    dirty: list[Stream] = []
    stream = Stream(CODEC, Owner(), dirty.append)
    stream.connection_made(pipe)
    return stream, dirty


def topics(count: int) -> list[Message]:
    return [TopicShed(f"topic {number}") for number in range(count)]


def read_all(reader: FrameReader) -> list[Message]:
    found = []
    while (message := reader.next()) is not None:
        found.append(message)
    return found


def sent(messages: list[Message], events: list[Message]) -> bytes:
    pipe = Pipe()
    stream, _ = open_stream(pipe)
    for message in messages:
        stream.send(message)
    stream.send_all(events)
    stream.flush()
    return b"".join(pipe.written)


def test_what_one_turn_sends_is_one_write_and_marks_the_stream_once() -> None:
    pipe = Pipe()
    stream, dirty = open_stream(pipe)
    for message in topics(3):
        stream.send(message)
    stream.send_all(topics(2))
    assert (len(dirty), pipe.written) == (1, [])
    stream.flush()
    assert len(pipe.written) == 1


def test_a_single_message_costs_its_length_and_one_byte() -> None:
    assert sent([TopicShed("a")], []) == b"\x00\x00\x00\x0e\x91\x92\xa9TopicShed\xa1a"


def test_no_frame_holds_more_than_a_reader_should_decode_at_once() -> None:
    reader = FrameReader(CODEC)
    reader.feed(sent(topics(MESSAGES_PER_FRAME + 1), topics(MESSAGES_PER_FRAME + 2)))
    assert [len(reader.take()) for _ in range(5)] == [MESSAGES_PER_FRAME, 1, MESSAGES_PER_FRAME, 2, 0]


def test_what_could_not_be_handled_is_offered_again() -> None:
    reader = FrameReader(CODEC)
    reader.feed(sent(topics(3), []))
    batch = reader.take()
    reader.give_back(batch, 1)
    assert reader.next() == TopicShed("topic 1")
    assert reader.take() == [TopicShed("topic 2")]


def test_an_event_that_cannot_be_encoded_takes_no_other_with_it() -> None:
    pipe = Pipe()
    stream, _ = open_stream(pipe)
    with pytest.raises(TypeError):
        stream.send_all([TopicShed("a"), TopicShed(object())])  # type: ignore[arg-type]
    stream.send(TopicShed("b"))
    stream.flush()
    assert pipe.written == [sent([TopicShed("b")], [])]


@given(st.integers(0, 40), st.integers(0, 150), st.lists(st.integers(1, 500), max_size=20))
def test_however_the_bytes_are_cut_the_same_messages_come_out(told: int, published: int, cuts: list[int]) -> None:
    data = sent(topics(told), topics(published))
    reader = FrameReader(CODEC)
    found: list[Message] = []
    start = 0
    for length in [*cuts, len(data)]:
        reader.feed(data[start : start + length])
        start += length
        found += read_all(reader)
    assert found == topics(told) + topics(published)


def test_a_frame_without_a_message_is_a_fault_of_the_peer() -> None:
    reader = FrameReader(CODEC)
    reader.feed(b"\x00\x00\x00\x01\x90")
    with pytest.raises(PeerFault):
        reader.take()


@given(st.binary(min_size=5, max_size=60))
def test_random_bytes_are_a_fault_of_the_peer_or_not_yet_a_frame(data: bytes) -> None:
    reader = FrameReader(CODEC)
    reader.feed(data)
    try:
        read_all(reader)
    except PeerFault:
        return
