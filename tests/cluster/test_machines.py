"""The machines that the other tests run on are what they claim to be, and leave nothing behind."""

import subprocess

import pytest

from tests.cluster.machines import START_S, Network, network
from tests.survival.desks import until

pytestmark = [pytest.mark.slow, pytest.mark.ray]


def test_each_machine_has_its_own_address_and_its_own_ray_node() -> None:
    with network(3) as net:
        net.start_ray(["", "zone=a", "zone=b"])
        head, first, second = net.machines
        nodes = {
            (line.split()[1], zone)
            for line in head.run("python", "-m", "tests.cluster.nodes", net.address, head.ip).splitlines()
            for zone in ["a" if "'zone': 'a'" in line else "b" if "'zone': 'b'" in line else ""]
        }
        assert nodes == {(head.ip, ""), (first.ip, "a"), (second.ip, "b")}


def test_nothing_is_left_of_a_network_after_a_failure() -> None:
    seen: list[Network] = []

    def fail() -> None:
        with network(2) as net:
            seen.append(net)
            net.machines[1].start("sleep", "600")
            until(lambda: len(net.machines[1].pids()) == 1, "sleep has not started")
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail()
    left = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    assert [machine.name for machine in seen[0].machines if machine.name in left] == []
    assert not seen[0].folder.exists()


def test_a_machine_whose_cable_is_out_hears_nothing() -> None:
    with network(2) as net:
        head, worker = net.machines
        head.start("python", "-m", "http.server", "8000", "--bind", head.ip)
        assert head.until_connected(head.ip, 8000, timeout_s=START_S)
        assert worker.until_connected(head.ip, 8000, timeout_s=START_S)
        worker.unplug()
        assert not worker.until_connected(head.ip, 8000, timeout_s=2)
        worker.plug()
        assert worker.until_connected(head.ip, 8000, timeout_s=START_S)
