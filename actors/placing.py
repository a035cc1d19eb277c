"""Where the configuration wants the connectors of a venue: pure functions of `placement`."""

from collections.abc import Mapping

from actors.settings import VenueSettings

MOST_SHARDS = 256
Labels = Mapping[str, str]


def labels_of(actor: str, placement: Mapping[str, Labels]) -> Labels:
    """Labels of the nodes that it may be on; none: where the desk is started, or, of a standby, anywhere else.

    A shard that is not named itself is placed as the first of its venue, whether it is there from the start or not.
    """
    if actor in placement:
        return placement[actor]
    kind, _, which = actor.partition(".")
    venue, _, shard = which.partition(".")
    return placement.get(f"{kind}.{venue}", {}) if shard else {}


def may_come(actor: str, venues: Mapping[str, VenueSettings]) -> bool:
    """The connector or standby of a shard that a venue has, or will have when it is shared out over more."""
    kind, _, which = actor.partition(".")
    venue, _, shard = which.partition(".")
    if venue not in venues or not (kind == "connector" or (kind == "standby" and venues[venue].standby)):
        return False
    return shard in map(str, range(1, MOST_SHARDS))


def without_venue(venue: str, placement: Mapping[str, Labels]) -> dict[str, Labels]:
    """What is left when that one is gone, with all its shards."""
    its = (f"connector.{venue}", f"standby.{venue}")
    return {actor: labels for actor, labels in placement.items() if ".".join(actor.split(".")[:2]) not in its}
