"""Garbage is counted frame by frame and logged once a minute."""

from actors.connector.complaints import MOST_KINDS, Complaints
from actors.venues.contract import BadFrame
from tests.actors.bench import NOW, Bench, S


def test_the_first_of_a_kind_is_worth_a_line_then_one_a_minute() -> None:
    complaints = Complaints()
    said = [complaints.worth_a_line(f"DecodeError: byte {n}", NOW + n * S) for n in range(0, 130, 10)]
    assert said == [1, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 6]


def test_kinds_are_apart_and_bounded() -> None:
    complaints = Complaints()
    assert [complaints.worth_a_line(f"kind-{n}: x", NOW) for n in range(MOST_KINDS + 3)] == [1] * (MOST_KINDS + 1) + [
        0,
        0,
    ]


def test_every_bad_frame_is_counted_and_kept_but_only_one_is_logged() -> None:
    bench = Bench()
    lines: list[tuple[str, int]] = []
    bench.ctx.log.warning = lambda event, **values: lines.append((event, values["count"]))  # type: ignore[method-assign]
    for number in range(100):
        bench.frame(BadFrame("feed", b"%d" % number, f"unknown stream 'x{number}'", drop_link=False))
    assert bench.counter("bad_frames") == 100
    assert [kept["payload"] for kept in bench.connector.report().state["last_bad_frames"]][-1] == "99"
    assert lines == [("bad_frame", 1)]
