"""Which hosts a configuration needs and what each is given; an actor is built here, in the host that will hold it."""

import sys
from pathlib import Path

import msgspec

from actors import names
from actors.roles import build_role
from actors.settings import Configuration
from runtime.actor import Actor
from runtime.clock import NS_PER_S
from runtime.protocol import SUPERVISOR
from runtime.spec import ActorSpec, HostSpec, Launcher
from runtime.supervision.policy import RestartPolicy
from runtime.supervision.supervisor import HostPlan, Supervisor


class RunSettings(msgspec.Struct, frozen=True):
    """What every host of a run is given. No secret is in it."""

    folder: str
    """Where sockets, logs and, unless configured otherwise, the journal are."""
    import_path: str
    """Where modules of strategies are looked for besides the installed ones."""
    configuration: str
    """JSON of a `Configuration`."""
    started: int = 0
    """When the run began, nanoseconds since the epoch."""

    @classmethod
    def of(cls, configuration: Configuration, folder: Path, started: int = 0) -> "RunSettings":
        return cls(str(folder), str(Path.cwd()), configuration.model_dump_json(by_alias=True), started)

    def read(self) -> Configuration:
        return Configuration.model_validate_json(self.configuration)


def build(name: str, settings: str, launcher: Launcher) -> Actor:
    """Make one actor of a run from the JSON of its `RunSettings`."""
    run = msgspec.json.decode(settings, type=RunSettings)
    if run.import_path not in sys.path:
        sys.path.append(run.import_path)
    configuration = run.read()
    if name == SUPERVISOR:
        return _supervisor(configuration, run, launcher)
    return build_role(name, configuration, journal_folder(configuration, run), run.started)


def journal_folder(configuration: Configuration, run: RunSettings) -> Path:
    return configuration.journal.path or Path(run.folder, "journal")


def plans(configuration: Configuration, run: RunSettings) -> list[HostPlan]:
    """One host for each group of `colocate`, and one for each actor that is in no group."""
    actors = names.of_desk(configuration)
    grouped = {name for group in configuration.colocate for name in group}
    groups = [list(group) for group in configuration.colocate] + [[name] for name in actors if name not in grouped]
    groups.sort(key=lambda group: min(actors.index(name) for name in group))
    return [
        HostPlan(
            host_spec(configuration, run, "+".join(group), f"{index}.{{incarnation}}", group),
            {name: names.stop_phase(name) for name in group},
        )
        for index, group in enumerate(groups)
    ]


def host_spec(
    configuration: Configuration, run: RunSettings, name: str, socket: str, actors: list[str], incarnation: int = 1
) -> HostSpec:
    journal = str(journal_folder(configuration, run))
    return HostSpec(
        name=name,
        incarnation=incarnation,
        endpoint=f"{run.folder}/{socket}.sock",
        supervisor=f"{run.folder}/{SUPERVISOR}.sock",
        actors=[ActorSpec(actor, incarnation, journal if actor == names.ORDER_MANAGER else "") for actor in actors],
        build="actors.plan:build",
        messages="actors.messages:CODEC",
        settings=msgspec.json.encode(run).decode(),
        log_folder=f"{run.folder}/logs",
        heartbeat_ns=round(configuration.restart.heartbeat_s * NS_PER_S),
        durability=configuration.journal.durability,
        measures=names.LATENCY_MONITOR,
    )


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
    )
