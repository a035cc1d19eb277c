"""`durability: machine` where it cannot be kept is answered with what would be right."""

from pathlib import Path

import pytest

from actors.configuration import load
from tests.configuration.test_mistakes import GOOD, mistake


@pytest.mark.parametrize(
    ("more", "message"),
    [
        pytest.param(
            "journal: {path: journal, durability: machine}\nrisk:\n",
            "desk.yaml:12: journal.durability: machine needs a second machine; add `cluster: {address: HEAD:6379}`, or "
            "--address, or use power",
            id="a copy on the same machine",
        ),
        pytest.param(
            "journal: {durability: machine}\ncluster: {backend: processes}\nrisk:\n",
            "desk.yaml:12: journal.path: is missing, and a follower keeps its copy beside it; add `journal: {path: "
            "FOLDER}`, on every machine",
            id="a copy of a journal that ends with the run",
        ),
        pytest.param(
            "journal: {path: journal, durability: machine}\ncluster: {backend: processes}\n"
            "colocate: [[order_manager, journal_follower]]\nrisk:\n",
            "desk.yaml:14: colocate[0][1]: journal_follower cannot share what it is to survive; remove it",
            id="a copy in the same process",
        ),
        pytest.param(
            "journal: {path: journal, durability: machine}\ncluster: {address: 10.0.0.1:6379}\n"
            "placement: {order_manager: {zone: tokyo}, journal_follower: {zone: paris}}\nrisk:\n",
            "desk.yaml:14: placement.journal_follower: journal_follower is on the machine where the desk is started, "
            "with the store, if order_manager is placed elsewhere; remove one of the two",
            id="a copy that the store cannot follow",
        ),
    ],
)
def test_a_copy_that_would_not_survive_is_refused(tmp_path: Path, more: str, message: str) -> None:
    assert mistake(tmp_path, GOOD.replace("risk:\n", more, 1)).splitlines()[0] == message


def test_processes_of_one_machine_may_try_it_out(tmp_path: Path) -> None:
    more = "journal: {path: journal, durability: machine}\ncluster: {backend: processes}\nrisk:\n"
    file = tmp_path / "desk.yaml"
    file.write_text(GOOD.replace("risk:\n", more, 1))
    assert load(file).journal.durability == "machine"
