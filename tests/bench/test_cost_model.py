"""What a thousand connectors cost on paper: sums that somebody can check by hand."""

import pytest

from scripts.benchmarks.cost_model import Constants, Machine, Shape, cost, saturations
from scripts.benchmarks.scale import Scale, calibrated, directory_of

OF = Constants(
    idle_cpu=0.01,
    event_cpu=20e-6,
    reader_idle=0.005,
    reader_cpu=5e-6,
    beat_cpu=50e-6,
    connector_mb=40.0,
    connector_files=30.0,
    supervisor_files=20.0,
    supervisor_files_per_host=2.0,
    address_bytes=100.0,
    address_cpu=1e-6,
    change_bytes=150.0,
    change_cpu=2e-6,
)
SHAPE = Shape(venues=2, shards=5, symbols=100, rate=10.0, strategies=3, nodes=2)
NODE = Machine(cores=4, memory_mb=1_000, files=1_000, network_mb=100)


def test_a_small_desk_by_hand() -> None:
    at = cost(SHAPE, OF)
    assert (SHAPE.connectors, SHAPE.hosts, SHAPE.events) == (10, 20, 2_000.0)
    assert at.connector_cpu == pytest.approx(0.01 + 200 * 20e-6)
    assert at.supervisor_beats == 240.0
    assert at.supervisor_cpu == pytest.approx(0.012)
    assert at.supervisor_files == 60.0
    assert at.directory_mb == pytest.approx(0.003)
    assert at.start_mb == pytest.approx(0.05)
    assert at.reader_cpu == pytest.approx(0.015)
    assert (at.node_processes, at.node_mb) == (5.0, 200.0)


def test_the_fullest_comes_first_and_each_says_what_to_do() -> None:
    found = saturations(SHAPE, OF, NODE)
    assert found[0].what == "memory of a node, by connectors"
    assert found[0].used == pytest.approx(0.2)
    assert [each.used for each in found] == sorted((each.used for each in found), reverse=True)
    assert all(each.then for each in found)


def test_a_change_costs_each_host_the_same_and_a_start_the_square_of_them() -> None:
    few, many = (cost(Shape(venues=1, shards=n, symbols=1, rate=1.0, strategies=3, nodes=1), OF) for n in (10, 290))
    assert many.directory_mb / few.directory_mb == pytest.approx(15.0)
    assert many.start_mb / few.start_mb == pytest.approx(15.0**2)


def test_constants_are_found_again_in_runs_that_follow_the_model() -> None:
    few, many = (_run(Shape(venues=1, shards=n, symbols=16, rate=25.0, strategies=2, nodes=1)) for n in (1, 4))
    found = calibrated(few, many)
    for name in (
        "idle_cpu",
        "event_cpu",
        "reader_idle",
        "reader_cpu",
        "beat_cpu",
        "connector_mb",
        "supervisor_files_per_host",
    ):
        assert getattr(found, name) == pytest.approx(getattr(OF, name)), name
    assert found.supervisor_files == pytest.approx(OF.supervisor_files)


def test_an_address_in_a_directory_has_its_measured_size() -> None:
    size, seconds = directory_of(100)
    assert 80 < size < 300
    assert seconds >= 0


def _run(shape: Shape) -> Scale:
    at = cost(shape, OF)
    return Scale(
        shape,
        at.connector_cpu,
        OF.connector_mb,
        OF.connector_files,
        at.supervisor_cpu,
        at.supervisor_files,
        at.supervisor_beats,
        at.reader_cpu,
        OF.reader_idle + OF.reader_cpu * shape.events / shape.symbols,
        shape.hosts,
    )
