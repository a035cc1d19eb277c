"""What is left of a run whose machine was lost still has a journal open: the next run waits for it."""

from runtime.clock import NS_PER_S
from runtime.replication.owner import LOOK_NS, PATIENCE_NS
from tests.replication.pair import Pair, started


def test_a_follower_waits_for_an_owner_of_another_run_and_the_new_owner_for_the_follower(pair: Pair) -> None:
    owner = started(pair).owner
    assert owner is not None
    assert pair.follower is not None
    owner.append(b"one")
    pair.carry()
    pair.follower.end()
    left_over, pair.owner, pair.follower = owner, None, None
    again = pair.start_owner(pair.here.parent / "elsewhere", run="2")
    follower = pair.start_follower(pair.here, run="2")
    pair.pass_time(2 * PATIENCE_NS)
    assert "is open in another process" in str(follower.follower.report().state["problem"])
    assert again.ctx.file is None
    left_over.end()
    pair.pass_time(NS_PER_S)
    assert again.clerk.replayed == [b"one"]
    assert again.clerk.problems[-1] == ""


def test_a_copy_that_a_process_of_another_run_has_open_is_waited_for(pair: Pair) -> None:
    owner = started(pair).owner
    assert owner is not None
    owner.append(b"one")
    pair.carry()
    pair.end_owner()
    left_over, pair.follower = pair.follower, None
    assert left_over is not None
    again = pair.start_owner(pair.there, run="2")
    pair.pass_time(2 * PATIENCE_NS)
    problem = again.owner.report().state["journal_copy"]["problem"]
    assert problem.startswith("what is left of an earlier run has to end first: journal ")
    assert "is open in another process" in problem
    assert (again.ctx.file, again.ctx.watched) == (None, [])
    left_over.end()
    pair.pass_time(LOOK_NS)
    pair.start_follower(pair.here, run="2")
    assert again.clerk.replayed == [b"one"]
    assert again.clerk.problems[-1] == ""
