"""`outcry` and its hosts, with actors that are ended at an exact step and hosts that can be out of reach.

Only how hosts build their actors is another than in the product: `HostSpec.build` names `build` of this module. What
is to happen is said by files in the folder of the environment variable SURVIVAL: see `Step` and `OutOfReach`.
"""

import os
import re
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from actors import names, plan
from actors.connector.audience import ALWAYS
from actors.venues import registry
from actors.venues.binance import spot
from actors.venues.contract import ConnectLimit
from runtime.actor import Actor, FramesReceived
from runtime.clock import NS_PER_S
from runtime.message import Message
from runtime.protocol import SUPERVISOR
from runtime.spec import HostEnded, HostSpec, HostWaits, Launcher

FOLDER = Path(os.environ.get("SURVIVAL", ""))
ARMED, DONE, UNREACHABLE, NARROW = "armed.json", "done.json", "unreachable", "narrow"


class Step(msgspec.Struct, frozen=True):
    """`kill -9` of the process of an actor: before or after the next call of that kind with such a message."""

    actor: str
    call: str
    """`receive`, `append`, `tell` or `send_frame`."""
    message: str
    """Class name of the message; of a frame or a record what is somewhere in its bytes."""
    after: bool = False


class Done(msgspec.Struct, frozen=True):
    client_order_id: str
    """Of the order on its way."""


ORDER_ID = re.compile(rb'lientOrderId":"([0-9a-f]{32})"')


def order_id_in(message: Any) -> str:
    payloads = [message] if isinstance(message, bytes) else getattr(message, "payloads", ())
    for payload in payloads:
        if found := ORDER_ID.search(payload):
            return found[1].decode()
    order = getattr(message, "order", message)
    return getattr(order, "client_order_id", "")


class Watch:
    """Takes the step that is armed, once, and ends the process."""

    def __init__(self, actor: str) -> None:
        self._actor = actor
        self._armed = FOLDER / ARMED
        self._order = ""

    def step(self, call: str, message: Any, carry_out: Callable[[], Any]) -> Any:
        self._order = order_id_in(message) or self._order
        if not self._matches(call, message):
            return carry_out()
        step = msgspec.json.decode(self._armed.read_bytes(), type=Step)
        if step.after:
            carry_out()
        self._armed.unlink()
        (FOLDER / "done.new").write_bytes(msgspec.json.encode(Done(self._order)))
        (FOLDER / "done.new").rename(FOLDER / DONE)
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    def _matches(self, call: str, message: Any) -> bool:
        try:
            step = msgspec.json.decode(self._armed.read_bytes(), type=Step)
        except FileNotFoundError:
            return False
        if (step.actor, step.call) != (self._actor, call):
            return False
        if isinstance(message, FramesReceived):
            return message.link == "orders" and any(step.message.encode() in payload for payload in message.payloads)
        if isinstance(message, bytes):
            return step.message.encode() in message
        return type(message).__name__ == step.message


class WatchedContext:
    """The host's own context, but for the calls that are watched."""

    def __init__(self, ctx: Any, watch: Watch) -> None:
        self._ctx = ctx
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ctx, name)

    def tell(self, to: Any, message: Message) -> None:
        self._watch.step("tell", message, lambda: self._ctx.tell(to, message))

    def append(self, record: bytes) -> int:
        sequence: int = self._watch.step("append", record, lambda: self._ctx.append(record))
        return sequence

    def send_frame(self, link: str, payload: bytes) -> bool:
        sent: bool = self._watch.step("send_frame", payload, lambda: self._ctx.send_frame(link, payload))
        return sent


class OutOfReach:
    """A launcher whose `kill` does not reach the hosts whose names are in the file `unreachable`, as if their machine
    were cut off. The next life of one that keeps a journal gets a copy of it, as another machine would have.
    """

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self.adopt = launcher.adopt
        self.resident_bytes = launcher.resident_bytes
        self.keep_spares = launcher.keep_spares
        self.spares = launcher.spares

    def launch(self, spec: HostSpec, notify: Callable[[HostEnded | HostWaits], None]) -> None:
        if spec.incarnation > 1 and self._is_unreachable(spec.name):
            spec = msgspec.structs.replace(spec, actors=[_with_a_copy(actor) for actor in spec.actors])
        self._launcher.launch(spec, notify)

    def kill(self, host: str, incarnation: int) -> None:
        if not self._is_unreachable(host):
            self._launcher.kill(host, incarnation)

    def _is_unreachable(self, host: str) -> bool:
        file = FOLDER / UNREACHABLE
        return file.exists() and host in file.read_text().split()


def _with_a_copy(actor: Any) -> Any:
    if not actor.journal:
        return actor
    copy = f"{actor.journal}-{actor.incarnation}"
    shutil.copytree(actor.journal, copy, ignore=shutil.ignore_patterns("lock"))
    return msgspec.structs.replace(actor, journal=copy)


_host_spec = plan.host_spec


def host_spec(*arguments: Any, **named: Any) -> HostSpec:
    return msgspec.structs.replace(_host_spec(*arguments, **named), build=f"{BUILT}:build")


BUILT = "tests.survival.built"


def take_over() -> None:
    """In a process of its own: every host that is planned from now on builds its actors here."""
    plan.host_spec = host_spec


def narrow_links() -> None:
    """A link for each symbol, and the venue's limit of connects within seconds."""
    window_ns = int((FOLDER / NARROW).read_text()) * NS_PER_S
    spot.CONNECT_LIMIT = ConnectLimit(spot.CONNECT_LIMIT.attempts, window_ns)
    registry.PROTOCOLS["binance"] = partial(spot.BinanceSpot, streams_per_link=len(ALWAYS))


def build(name: str, settings: str, launcher: Launcher) -> Actor:
    if name == SUPERVISOR:
        take_over()
        return plan.build(name, settings, OutOfReach(launcher))
    if name.startswith("connector.") and (FOLDER / NARROW).exists():
        narrow_links()
    actor: Any = plan.build(name, settings, launcher)
    if name in (names.ORDER_MANAGER, names.RISK_CHECKER, names.ROUTER) or name.startswith("connector."):
        receive, watch = actor.receive, Watch(name)
        contexts: dict[int, WatchedContext] = {}

        def watched(message: Any, ctx: Any) -> Any:
            proxy = contexts.setdefault(id(ctx), WatchedContext(ctx, watch))
            return watch.step("receive", message, lambda: receive(message, proxy))

        actor.receive = watched
    return actor  # type: ignore[no-any-return]


if __name__ == "__main__":
    from actors.cli import main

    take_over()
    main()
