"""The directory told in changes: every host ends with what the supervisor has, whatever is lost on the way."""

from random import Random

import pytest

from runtime.address import Address, StreamKind
from runtime.directory import NO_VERSION, Directory
from runtime.protocol import DirectoryChanged
from runtime.supervision.announcements import VERSIONS_PER_LIFE, Announcements
from runtime.supervision.table import BEATS_BEHIND, HostEntry


def at(name: str, life: int = 1) -> Address:
    return Address(name, life, StreamKind.UNIX, f"/{name}.{life}", f"host-of-{name}")


def take(directory: Directory, told: DirectoryChanged) -> None:
    """As a host does."""
    if told.since == NO_VERSION:
        directory.replace(told.version, told.addresses)
    elif told.since == directory.version:
        directory.change(told.version, told.addresses, told.gone)
    else:
        directory.version = NO_VERSION


def test_a_change_tells_only_what_is_different_to_who_has_the_version_before() -> None:
    announcements = Announcements()
    announcements.begin(1)
    announcements.advance([at("a"), at("b")], {"a": 1, "b": 1})
    first = announcements.version
    announcements.advance([at("a"), at("c")], {"a": 1, "b": 2, "c": 1})
    change = announcements.since(first)
    assert (change.since, change.addresses, change.gone) == (first, [at("c")], ["b"])
    assert change.lives == {"b": 2, "c": 1}
    for version in (NO_VERSION, first - 1, 77):
        whole = announcements.since(version)
        assert (whole.since, whole.addresses, whole.gone) == (NO_VERSION, [at("a"), at("c")], [])
        assert whole.lives == {"a": 1, "b": 2, "c": 1}


def test_who_has_met_a_life_that_the_supervisor_never_heard_of_is_told_its_end() -> None:
    announcements, directory = Announcements(), Directory()
    announcements.begin(1)
    announcements.advance([at("a")], {})
    take(directory, announcements.since(NO_VERSION))
    directory.add(at("b"))
    announcements.advance([at("a")], {}, ended=["b"])
    take(directory, announcements.since(directory.version))
    assert directory.find("b") is None


def test_up_and_down_are_said_as_for_the_whole() -> None:
    by_change, by_whole = Directory(), Directory()
    for directory in (by_change, by_whole):
        directory.replace(1, [at("a"), at("b"), at("c")])
    now = [at("a"), at("b", 2), at("d")]
    up, down = by_change.change(2, [at("b", 2), at("d"), at("a")], ["c", "never was"])
    assert (set(up), set(down)) == tuple(map(set, by_whole.replace(2, now)))
    assert by_change.names() == by_whole.names()


def test_a_new_life_of_the_supervisor_has_versions_of_its_own() -> None:
    announcements = Announcements()
    announcements.begin(2)
    announcements.advance([at("a")], {})
    assert announcements.version == VERSIONS_PER_LIFE + 1


@pytest.mark.parametrize("seed", range(20))
def test_every_host_has_the_directory_in_the_end_whatever_is_lost(seed: int) -> None:
    random = Random(seed)
    announcements = Announcements()
    announcements.begin(1)
    hosts = [(HostEntry(str(number), []), Directory()) for number in range(4)]
    living: dict[str, Address] = {}

    def tell(entry: HostEntry, directory: Directory, loss: float) -> None:
        told = announcements.since(entry.directory_sent)
        entry.directory_sent, entry.behind = announcements.version, 0
        if random.random() >= loss:
            take(directory, told)

    def beat(entry: HostEntry, directory: Directory, loss: float) -> None:
        if entry.is_behind(directory.version, announcements.version):
            entry.directory_sent = NO_VERSION
            tell(entry, directory, loss)

    for step in range(200):
        name = random.choice("abcdefgh")
        if living.pop(name, None) is None:
            living[name] = at(name, step)
        announcements.advance(living.values(), {name: step})
        for entry, directory in hosts:
            tell(entry, directory, 0.2)
            if random.random() < 0.5:
                beat(entry, directory, 0.2)
    for entry, directory in hosts:
        for _ in range(2 * BEATS_BEHIND):
            beat(entry, directory, 0.0)
        assert {name: directory.find(name) for name in directory.names()} == living
