"""Which connectors share what a venue allows: those of one address (limits by IP) and those of one account.

The address is that of the venue as the configuration has it, and from where it is reached: nodes with different labels
`egress` in `placement` have different addresses, all others are taken to have one, which is safe wherever they are.
Of an account only the reference to its key is used, never the key. Of a venue's connectors one alone has the account,
and places orders: its other shards and its standby read market data only.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import msgspec

from actors.placing import labels_of
from actors.settings import Configuration

LANES = (1.0, 0.95, 0.9, 0.8, 0.8, 0.5)
"""How far cancels, reducing orders, new orders, queries, books and history may use up a venue's limit, in that order:
a fifth is never for queries and books, a tenth never for new orders."""
KINDS = ("connector", "standby")
"""First parts of the names of actors that speak to venues; the venue's name is the second part."""


class Sharing(msgspec.Struct, frozen=True):
    """What one connector shares, and between how many; alone it is asked nothing and asks nobody."""

    address: str = ""
    address_holders: int = 1
    account: str = ""
    """"" without one."""
    account_holders: int = 1


def sharing_of(actor: str, actors: Iterable[str], configuration: Configuration) -> Sharing:
    """`actors` are all of the desk."""
    addresses, accounts = _counted(actors, configuration)
    address, account = _address(actor, configuration), _account(actor, configuration)
    return Sharing(address, addresses[address], account, accounts[account] if account else 1)


def is_shared(actors: Iterable[str], configuration: Configuration) -> bool:
    """Somebody has to divide something."""
    addresses, accounts = _counted(actors, configuration)
    return max((*addresses.values(), *accounts.values()), default=0) > 1


def _counted(actors: Iterable[str], configuration: Configuration) -> tuple[Counter[str], Counter[str]]:
    connectors = list(_connectors(actors, configuration))
    accounts = (_account(actor, configuration) for actor in connectors)
    return (
        Counter(_address(actor, configuration) for actor in connectors),
        Counter(account for account in accounts if account),
    )


def _connectors(actors: Iterable[str], configuration: Configuration) -> Iterator[str]:
    for actor in actors:
        kind, _, rest = actor.partition(".")
        if kind in KINDS and rest.partition(".")[0] in configuration.venues:
            yield actor


def _venue(actor: str, configuration: Configuration) -> str:
    settings = configuration.venues[actor.split(".")[1]]
    return f"{settings.kind} {urlsplit(settings.rest_url).netloc}"


def _address(actor: str, configuration: Configuration) -> str:
    egress = labels_of(actor, configuration.placement).get("egress", "")
    return f"{_venue(actor, configuration)} from {egress}" if egress else _venue(actor, configuration)


def _account(actor: str, configuration: Configuration) -> str:
    """ "" of those that have market data only: standbys, and every shard but the first, `connector.<venue>.<k>`."""
    kind, venue, *shard = actor.split(".")
    credentials = configuration.venues[venue].credentials
    if credentials is None or kind == "standby" or shard:
        return ""
    return f"{_venue(actor, configuration)} account {credentials.key}"
