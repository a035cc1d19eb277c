"""Which hosts a configuration needs and what each is given; an actor is built here, in the host that will hold it."""

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import msgspec
from pydantic import ValidationError

from actors import names
from actors.placing import labels_of
from actors.roles import build_role, copy_of, import_role
from actors.settings import Configuration
from runtime.actor import Actor
from runtime.address import StreamKind
from runtime.clock import NS_PER_S
from runtime.errors import ConfigError
from runtime.protocol import SUPERVISOR
from runtime.spares import Warmth
from runtime.spec import ActorSpec, Home, HostSpec, Launcher
from runtime.supervision.changes import HostPlan
from runtime.supervision.policy import RestartPolicy
from runtime.supervision.supervisor import Supervisor

RECONFIGURED = "reconfigured.json"
"""In the run's folder: the settings that are in force instead of those it began with."""

LINKS = ("runtime.links.http", "runtime.links.websocket")
"""What a host imports when an actor opens its first link; together a third of a second."""
MB = 1 << 20


class RunSettings(msgspec.Struct, frozen=True):
    """What every host of a run is given. No secret is in it."""

    folder: str
    """Where sockets, logs and, unless configured otherwise, the journal are."""
    import_path: str
    """Where modules of strategies are looked for besides the installed ones."""
    configuration: str
    """JSON of a `Configuration`."""
    home: Home = Home()
    started: int = 0
    """When the run began, nanoseconds since the epoch."""
    generation: int = 0
    """How often it was reconfigured."""

    @classmethod
    def of(
        cls, configuration: Configuration, folder: Path, home: Home | None = None, started: int = 0
    ) -> "RunSettings":
        text = configuration.model_dump_json(by_alias=True)
        return cls(str(folder), str(Path.cwd()), text, home or Home(), started)

    def read(self) -> Configuration:
        return Configuration.model_validate_json(self.configuration)


def build(name: str, settings: str, launcher: Launcher) -> Actor:
    """Make one actor of a run from the JSON of its `RunSettings`."""
    run = msgspec.json.decode(settings, type=RunSettings)
    if run.import_path not in sys.path:
        sys.path.append(run.import_path)
    configuration = run.read()
    if name == SUPERVISOR:
        present = _present(run)
        return _supervisor(present.read(), present, launcher)
    return build_role(name, configuration, journal_folder(configuration, run), run.started)


def warm(settings: str) -> None:
    """What a spare does: import all that any host of this run would, and build once what has no effect."""
    run = msgspec.json.decode(settings, type=RunSettings)
    if run.import_path not in sys.path:
        sys.path.append(run.import_path)
    configuration = run.read()
    for name in names.of_desk(configuration):
        import_role(name, configuration)
    for module in LINKS:
        import_module(module)


def journal_folder(configuration: Configuration, run: RunSettings) -> Path:
    return configuration.journal.path or Path(run.folder, "journal")


def plans(configuration: Configuration, run: RunSettings) -> list[HostPlan]:
    """One host for each group of `colocate`, and one for each actor that is in no group."""
    actors = names.of_desk(configuration)
    grouped = {name for group in configuration.colocate for name in group}
    groups = [list(group) for group in configuration.colocate] + [[name] for name in actors if name not in grouped]
    groups.sort(key=lambda group: min(actors.index(name) for name in group))
    host_of = {name: "+".join(group) for group in groups for name in group}
    return [
        HostPlan(
            _apart(
                host_spec(configuration, run, "+".join(group), f"{_prefix(run)}{index}.{{incarnation}}", group), host_of
            ),
            {name: names.stop_phase(name) for name in group},
            memory_limit_bytes(configuration, group),
        )
        for index, group in enumerate(groups)
    ]


def _apart(spec: HostSpec, host_of: Mapping[str, str]) -> HostSpec:
    """A standby is never on the node of its connector, and has to go when that comes."""
    mine = {actor.name for actor in spec.actors}
    pairs = [(standby, primary) for standby in host_of if (primary := names.primary_of(standby))]
    return msgspec.structs.replace(
        spec,
        yields_to=sorted({host_of[primary] for standby, primary in pairs if standby in mine}),
        displaces=sorted({host_of[standby] for standby, primary in pairs if primary in mine}),
    )


def memory_limit_bytes(configuration: Configuration, actors: list[str]) -> int:
    """Of the process that holds these: the least of its strategies'; 0 where there is none."""
    strategies = configuration.strategies
    return (
        min((strategies[name].memory_limit_mb for name in strategies if names.strategy(name) in actors), default=0) * MB
    )


def _prefix(run: RunSettings) -> str:
    """So that no two hosts ever have the same socket, whatever was added and removed."""
    return f"{run.generation}-" if run.generation else ""


def _present(run: RunSettings) -> RunSettings:
    """As it was last reconfigured, if it was."""
    try:
        return msgspec.json.decode(Path(run.folder, RECONFIGURED).read_bytes(), type=RunSettings)
    except FileNotFoundError:
        return run


def _replan(settings: str, run: RunSettings) -> list[HostPlan]:
    """Of another configuration (JSON); it is in a file for the next life of the supervisor before anything is done."""
    try:
        configuration = Configuration.model_validate_json(settings)
    except ValidationError as error:
        raise ConfigError(str(error.errors()[0]["msg"])) from None
    generation = _present(run).generation + 1
    new = msgspec.structs.replace(
        run, configuration=configuration.model_dump_json(by_alias=True), generation=generation
    )
    file = Path(run.folder, RECONFIGURED)
    unfinished = file.with_suffix(".new")
    unfinished.write_bytes(msgspec.json.encode(new))
    unfinished.rename(file)
    return plans(configuration, new)


def host_spec(
    configuration: Configuration, run: RunSettings, name: str, socket: str, actors: list[str], incarnation: int = 1
) -> HostSpec:
    durable = configuration.journal.durability == "machine"
    is_elsewhere = names.ORDER_MANAGER in configuration.placement
    return HostSpec(
        name=name,
        incarnation=incarnation,
        endpoint=f"{run.folder}/{socket}.sock",
        supervisor=f"{run.folder}/{SUPERVISOR}.sock",
        actors=[_actor_spec(actor, incarnation, configuration, run) for actor in actors],
        build="actors.plan:build",
        messages="actors.messages:CODEC",
        settings=msgspec.json.encode(run).decode(),
        log_folder=f"{run.folder}/logs",
        heartbeat_ns=round(configuration.restart.heartbeat_s * NS_PER_S),
        durability=configuration.journal.durability,
        measures=names.LATENCY_MONITOR,
        kind=StreamKind.TCP if run.home.machine else StreamKind.UNIX,
        home=run.home,
        lease_ns=round(configuration.restart.lease_s * NS_PER_S),
        alone_ns=round(configuration.restart.alone_after_s * NS_PER_S) if run.home.machine else 0,
        labels=next((dict(labels) for actor in actors if (labels := labels_of(actor, configuration.placement))), {}),
        abroad=durable and (names.ORDER_MANAGER if is_elsewhere else names.JOURNAL_FOLLOWER) in actors,
    )


def _actor_spec(actor: str, incarnation: int, configuration: Configuration, run: RunSettings) -> ActorSpec:
    if actor != names.ORDER_MANAGER:
        return ActorSpec(actor, incarnation)
    journal = journal_folder(configuration, run)
    if configuration.journal.durability != "machine":
        return ActorSpec(actor, incarnation, str(journal))
    copy = str(copy_of(journal))
    return ActorSpec(actor, incarnation, str(journal), names.JOURNAL_FOLLOWER, copy, str(run.started))


def supervisor_spec(configuration: Configuration, run: RunSettings, incarnation: int) -> HostSpec:
    return host_spec(configuration, run, SUPERVISOR, SUPERVISOR, [SUPERVISOR], incarnation)


def _supervisor(configuration: Configuration, run: RunSettings, launcher: Launcher) -> Supervisor:
    restart = configuration.restart
    return Supervisor(
        plans(configuration, run),
        RestartPolicy(
            backoff_min_ns=round(restart.backoff_min_s * NS_PER_S),
            backoff_max_ns=round(restart.backoff_max_s * NS_PER_S),
            intensity=restart.intensity,
            period_ns=round(restart.period_s * NS_PER_S),
            park_ns=round(restart.park_s * NS_PER_S),
        ),
        launcher,
        heartbeat_ns=round(restart.heartbeat_s * NS_PER_S),
        heartbeats_missed=restart.heartbeats_missed,
        spares=restart.spares,
        warmth=Warmth("actors.plan:warm", msgspec.json.encode(run).decode()),
        replan=lambda settings: _replan(settings, run),
    )
