"""The limiter: who is told what, and who counts as one address."""

from actors.limiter import Limiter
from actors.messages import BudgetUse, LeasesGranted, SendingForbidden, UsesReported
from actors.names import LIMITER, of_desk
from actors.settings import Configuration
from actors.sharing import sharing_of
from runtime.actor import ActorDown
from runtime.leases import Use, Wish
from tests.support.context import RecordingContext

S = 1_000_000_000
W = 60 * S
NOW = 1_700_000_050 * S
ADDRESS, OTHER = "binance api.binance.com", "binance api.binance.com from 203.0.113.7"
WEIGHT = "REQUEST_WEIGHT 1 MINUTE"
BAN = SendingForbidden(ADDRESS, "BAN", NOW + 100 * S, "connector.a")


def report(name: str, *wishes: Wish, life: int = 1, scope: str = ADDRESS, holders: int = 2) -> UsesReported:
    use = Use(1000, W, NOW // W, 125, 0, 0, 0, 0, wishes)
    return UsesReported(f"connector.{name}", life, {scope: holders}, [BudgetUse(scope, WEIGHT, use)])


def limiter(*reports: UsesReported) -> tuple[Limiter, RecordingContext]:
    ctx, actor = RecordingContext(LIMITER, time=NOW), Limiter()
    for each in reports:
        actor.receive(each, ctx)
    return actor, ctx


def granted(ctx: RecordingContext, name: str) -> list[int]:
    told = [message for message in ctx.told_to(f"connector.{name}") if isinstance(message, LeasesGranted)]
    return [lease.lease.tokens for message in told for lease in message.leases]


def test_nothing_is_lent_before_all_have_been_heard_and_then_what_they_want() -> None:
    actor, ctx = limiter(report("a", Wish(3, 100, 100)))
    assert granted(ctx, "a") == []
    actor.receive(report("b"), ctx)
    assert granted(ctx, "a") == [100]


def test_a_ban_is_told_to_all_others_of_that_address_and_to_who_comes_later() -> None:
    actor, ctx = limiter(report("a"), report("b"), report("c", scope=OTHER))
    actor.receive(BAN, ctx)
    actor.receive(BAN, ctx)
    assert ctx.told_to("connector.b") == [BAN]
    assert ctx.told_to("connector.a") == ctx.told_to("connector.c") == []
    actor.receive(report("d"), ctx)
    assert BAN in ctx.told_to("connector.d")
    assert actor.report().state["forbidden"] == [
        {"scope": ADDRESS, "what": "BAN", "until": NOW + 100 * S, "told": "connector.a"}
    ]


def test_one_more_than_was_known_is_told_to_everybody() -> None:
    _, ctx = limiter(report("a"), report("b"), report("c", holders=3))
    assert ctx.told_to("connector.a") == [LeasesGranted({ADDRESS: 3}, [])]


def test_what_a_life_that_ended_was_lent_is_not_lent_again_in_that_window() -> None:
    actor, ctx = limiter(report("a"), report("b"), report("a", Wish(3, 550, 550)))
    assert granted(ctx, "a") == [550]
    actor.receive(ActorDown("connector.a", 1, "killed"), ctx)
    actor.receive(report("b", Wish(3, 100, 100)), ctx)
    assert granted(ctx, "b") == []
    actor.receive(report("a", life=2), ctx)
    assert granted(ctx, "b") == []


def test_who_shares_an_address_and_who_an_account() -> None:
    ours = {"kind": "binance", "symbols": ["BTCUSDT"], "credentials": {"key": "env:A", "secret": "env:B"}}
    public = {"kind": "binance", "symbols": ["BTCUSDT"]}
    configuration = Configuration.model_validate(
        {
            "venues": {"one": ours, "two": ours, "far": public, "usdm": {**public, "kind": "binance-usdm"}},
            "placement": {"connector.far": {"egress": "203.0.113.7"}},
        }
    )
    actors = of_desk(configuration)
    assert actors[0] == LIMITER
    one, far, usdm = (sharing_of(f"connector.{name}", actors, configuration) for name in ("one", "far", "usdm"))
    assert (one.address, one.address_holders) == (ADDRESS, 2)
    assert (one.account, one.account_holders) == (f"{ADDRESS} account env:A", 2)
    assert (far.address, far.address_holders) == (OTHER, 1)
    assert (usdm.address_holders, usdm.account) == (1, "")
    several = Configuration.model_validate({"venues": {"one": {**ours, "standby": True, "shards": 2}}})
    shared = {name: sharing_of(name, of_desk(several), several) for name in of_desk(several) if "one" in name}
    assert {each.address_holders for each in shared.values()} == {4}
    assert [name for name, each in shared.items() if each.account] == ["connector.one"]
    assert shared["connector.one"].account_holders == 1
    alone = Configuration.model_validate({"venues": {"one": ours, "usdm": {**public, "kind": "binance-usdm"}}})
    assert LIMITER not in of_desk(alone)
