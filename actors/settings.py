"""What a configuration says, as frozen values. Parsed once, at the edge; unknown keys are errors.

A secret is never a value here, only where to find it: `env:NAME`, `file:PATH` or `demo` (the fake venues' account).
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)


def _matching(pattern: str, meaning: str) -> AfterValidator:
    """Refuses a text with a sentence that says what it has to be."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(f"is {text!r}; it must be {meaning}")
        return text

    return AfterValidator(check)


def _is_reference(text: str) -> str:
    """Never repeats the text: it may be the secret itself."""
    if re.fullmatch(r"demo|env:[A-Za-z_][A-Za-z0-9_]*|file:.+", text) is None:
        raise ValueError("must say where to find it: env:NAME, file:PATH or demo")
    return text


def _is_own_reference(text: str) -> str:
    if re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+", text) is None:
        raise ValueError("must say where to find it: env:NAME or file:PATH")
    return text


SecretReference = Annotated[str, AfterValidator(_is_reference)]
"""`env:NAME`, `file:PATH` or `demo`; `actors.credentials` reads what it refers to, where it is used."""

OwnSecretReference = Annotated[str, AfterValidator(_is_own_reference)]
"""The same without `demo`: a secret that no fake venue knows."""

AbsolutePath = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
"""Seen from where the configuration is read; hosts may run elsewhere."""

Name = Annotated[
    str, _matching(r"[a-z][a-z0-9-]{0,23}", "at most 24 lower-case letters, digits and dashes, e.g. desk-1")
]
Symbol = Annotated[str, _matching(r"[^\s.*]+", "a symbol as the venue writes it, e.g. BTCUSDT")]
InstrumentKey = Annotated[str, _matching(r"[a-z][a-z0-9-]*\.[^\s.*]+", "<venue>.<SYMBOL>, e.g. binance.BTCUSDT")]
HttpUrl = Annotated[str, _matching(r"https?://[^/\s]+\S*", "an address that begins with https:// or http://")]
SocketUrl = Annotated[str, _matching(r"wss?://[^/\s]+\S*", "an address that begins with wss:// or ws://")]
ClassPath = Annotated[str, _matching(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", "module:Class, e.g. my_desk.maker:Maker")]
Port = Annotated[int, Field(ge=1, le=65535)]
Label = Annotated[str, _matching(r"[A-Za-z0-9][\w./-]{0,62}", "the name of a label of nodes, e.g. zone")]
HeadAddress = Annotated[str, _matching(r"\S+:\d+", "the address of a Ray cluster's head, e.g. 10.0.0.1:6379")]
Amount = Annotated[Decimal, Field(gt=0)]


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Credentials(Settings):
    key: SecretReference
    secret: SecretReference


class Simulation(Settings):
    """Run the fake venue beside the desk and connect to it instead of to the real one."""

    port: int = Field(0, ge=0, le=65535, description="0 chooses a free one")
    seed: int = 1
    rate: float = Field(20.0, gt=0, description="simulated orders a second and symbol")
    capture: str = Field("", description="prefix of recorded files to play instead, e.g. BINANCE")
    speed: float = Field(1.0, gt=0, description="1 is the capture's own timing")


class ContractSettings(Settings):
    """How the account trades contracts. What is not set stays as it is at the venue; what is set is in force before the
    first order goes."""

    leverage: int | None = Field(None, ge=1, le=125)
    margin_mode: Literal["cross", "isolated"] | None = None
    hedge_mode: bool | None = None
    """True: long and short positions of an instrument are held apart."""
    cancel_all_after_s: float | None = Field(None, ge=1)
    """The venue cancels all open orders when it has heard nothing from here for so long."""


URLS: dict[str, dict[str, str]] = {
    "binance": {
        "rest_url": "https://api.binance.com",
        "stream_url": "wss://stream.binance.com:9443",
        "trade_url": "wss://ws-api.binance.com:443/ws-api/v3",
    },
    "binance-usdm": {
        "rest_url": "https://fapi.binance.com",
        "stream_url": "wss://fstream.binance.com",
        "trade_url": "wss://ws-fapi.binance.com/ws-fapi/v1",
    },
}
"""Where each kind of venue is found by default."""


class VenueSettings(Settings):
    kind: Literal["binance", "binance-usdm"]
    symbols: list[Symbol] = Field(min_length=1)
    credentials: Credentials | None = None
    """None: market data only."""
    rest_url: HttpUrl = ""
    """By default, as the next two, the kind's own address."""
    stream_url: SocketUrl = ""
    trade_url: SocketUrl = ""
    contracts: ContractSettings = ContractSettings()
    recv_window_ms: int = Field(1000, gt=0, le=60000)
    """How long an order stays valid on its way, by the venue's clock: its last fence against a frozen process."""
    order_timeout_s: float = Field(2.0, gt=0)
    """Without an answer for so long the outcome of a command is unknown."""
    stale_after_s: float = Field(60.0, gt=0)
    """A link without a byte for so long is dropped and reopened (the venue pings every 20 s)."""
    fallback_after_s: float | None = Field(3.0, gt=0)
    """A WebSocket that is down or silent for so long is replaced by REST until it is back; None never is."""
    fallback_poll_s: float = Field(1.0, gt=0)
    """How often REST is asked then; more rarely where the venue's limits want it."""
    maker_fee: Decimal = Decimal("0.001")
    taker_fee: Decimal = Decimal("0.001")
    simulate: Simulation | None = None
    standby: bool = False
    """Run a second connector on the same streams, on another node of a cluster: readers take each event once, from
    whichever brings it first, and go on without a gap when one of them dies. It carries market data only."""
    shards: int = Field(1, ge=1, le=256)
    """So many connectors share the market data of its symbols; orders and the account stay with the first."""
    pinned: dict[Symbol, Annotated[int, Field(ge=0)]] = {}
    """Symbol → the shard that has it, 0 … shards - 1, whatever its hash says."""
    leaving: dict[Symbol, Annotated[int, Field(ge=0, le=255)]] = {}
    """Symbol → the shard that has it besides until its readers have gone over: the desk's own note while it moves."""

    @property
    def connectors(self) -> int:
        """How many run."""
        return max(self.shards, *(shard + 1 for shard in self.leaving.values())) if self.leaving else self.shards

    @model_validator(mode="before")
    @classmethod
    def _default_urls(cls, given: Any) -> Any:
        """A kind that is not known is reported by its own field."""
        if isinstance(given, dict) and isinstance(given.get("kind"), str):
            return {**URLS.get(given["kind"], URLS["binance"]), **given}
        return given


def read_venues(text: str) -> dict[str, VenueSettings]:
    """From the JSON that `write_venues` made."""
    return TypeAdapter(dict[str, VenueSettings]).validate_json(text)


def write_venues(venues: Mapping[str, VenueSettings]) -> str:
    return TypeAdapter(dict[str, VenueSettings]).dump_json(dict(venues), by_alias=True).decode()


def trading(venues: Mapping[str, VenueSettings]) -> dict[str, VenueSettings]:
    """Those with an account; the others are market data only."""
    return {name: venue for name, venue in venues.items() if venue.credentials is not None}


class StrategySettings(Settings):
    class_: ClassPath = Field(alias="class")
    instruments: list[InstrumentKey] = Field(min_length=1)
    parameters: dict[str, Any] = {}
    memory_limit_mb: int = Field(4096, gt=0)
    """A strategy whose process holds more main memory is ended and started again, as one that hangs."""


class RiskLimits(Settings):
    """For the whole desk. Amounts are in the quote asset of the instrument."""

    max_open_orders: int = Field(100, gt=0)
    max_order_quantity: dict[InstrumentKey, Amount] = {}
    """Base quantity; absent means only the venue's own limit."""
    max_order_notional: Amount = Decimal("100000")
    max_position: dict[InstrumentKey, Amount] = {}
    """Absolute base quantity, open orders counted at their worst case."""
    max_exposure: Amount = Decimal("1000000")
    """Sum over instruments of the worst-case absolute position at the last price."""
    price_band: Amount = Decimal("0.1")
    """A limit price may be worse than the last price by this fraction at most."""
    check_capital: bool = True
    checks: list[str] = []
    """Further checks, `module:function`, each called with (OrderSpec, DeskState); what it returns, if not None, is why
    the order is denied, and so is an exception."""


class OrderSettings(Settings):
    command_deadline_s: float = Field(1.0, gt=0)
    """A command that has not left by then never does: a connector refuses the late."""
    reconcile_every_s: float = Field(60.0, gt=0)
    """Besides after each (re)connect."""
    rehearse_every_ms: float = Field(2.0, ge=0)
    """While market data comes, the way of an order is gone without an order so often: it is warm when one comes. 0 for
    never."""


class JournalSettings(Settings):
    path: AbsolutePath | None = None
    """A folder; by default in the run's own folder, which a new run does not see."""
    durability: Literal["process", "power", "machine"] = "process"
    """What an order's intent survives before it goes on: the end of the process, a power failure, the loss of the
    machine. With `machine` a follower on another node has a copy, in a folder beside `path` called like it and `-copy`.
    """


class StoreSettings(Settings):
    """The queryable database that follows the journal."""

    kind: Literal["sqlite", "postgresql"] = "sqlite"
    path: AbsolutePath | None = None
    """Of sqlite: a file; by default store.sqlite in the journal's folder."""
    dsn: OwnSecretReference | None = None
    """Of postgresql: where to find the connection string, postgresql://user:password@host:5432/database."""
    schema_: Name | None = Field(None, alias="schema")
    """Of postgresql: where the tables are; by default the schema called like the desk. No two desks share one."""


class RestartSettings(Settings):
    backoff_min_s: float = Field(0.1, gt=0)
    backoff_max_s: float = Field(10.0, gt=0)
    intensity: int = Field(5, ge=0)
    """So many restarts …"""
    period_s: float = Field(60.0, gt=0)
    """… within so long open the circuit."""
    park_s: float = Field(60.0, gt=0)
    """An open circuit is probed again after so long."""
    heartbeat_s: float = Field(0.1, gt=0)
    heartbeats_missed: int = Field(20, gt=1)
    """A host that missed so many is taken for hung and replaced."""
    spares: int = Field(1, ge=0, le=16)
    """Warm processes kept ready: the successor of a dead one starts in milliseconds instead of a second."""
    lease_s: float = Field(5.0, ge=1, validate_default=True)
    """A connector that the supervisor has not heard for so long sends no new order and lets go of its venue's dead-man
    switch, until it is heard again; longer than a supervisor takes to start again."""
    alone_after_s: float = Field(30.0, gt=0)
    """On a cluster: a host that has reached no supervisor for so long ends itself, in order."""

    @field_validator("lease_s")
    @classmethod
    def _is_longer_than_heartbeats(cls, lease_s: float, info: ValidationInfo) -> float:
        heartbeat_s = info.data.get("heartbeat_s", 0)
        if lease_s < 3 * heartbeat_s:
            raise ValueError(f"is {lease_s:g}; it must be at least 3 × heartbeat_s, which is {heartbeat_s:g}")
        return lease_s


class MetricsSettings(Settings):
    port: int | None = Field(None, ge=1, le=65535)
    """Serve Prometheus' text format on this port of 127.0.0.1; None serves none."""


class ClusterSettings(Settings):
    backend: Literal["ray", "processes"] = "ray"
    address: HeadAddress | None = None
    """None starts a Ray of its own on this machine."""
    ports: tuple[Port, Port] = (20000, 20999)
    """First and last of the ports on which hosts listen for those of other machines."""
    dashboard: bool = False
    """Ray's dashboard; `ray list actors` needs it and the extra `dashboard`."""


class Configuration(Settings):
    name: Name = "desk"
    venues: dict[Name, VenueSettings] = Field(min_length=1)
    strategies: dict[Name, StrategySettings] = {}
    risk: RiskLimits = RiskLimits()
    orders: OrderSettings = OrderSettings()
    journal: JournalSettings = JournalSettings()
    store: StoreSettings = StoreSettings()
    metrics: MetricsSettings = MetricsSettings()
    restart: RestartSettings = RestartSettings()
    cluster: ClusterSettings = ClusterSettings()
    placement: dict[str, dict[Label, str]] = {}
    """Actor → labels of the nodes that it may be on (`ray start --labels`); the label `resource` is the name of any
    resource that they have (`--resources`). Those with the same are spread over such nodes; all other actors are where
    the desk is started."""
    colocate: list[list[str]] = []
    """Groups of actor names that share one host; an actor named nowhere has a host of its own."""
