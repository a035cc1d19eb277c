"""A slimmer `ray.init`: what it starts although nobody asked for it, and cannot be told to leave out, is left out here.

It reaches into Ray's private modules, of the version that the lock file names.
"""

import contextlib
import importlib
import time
from collections.abc import Iterator
from typing import Any

from runtime.clock import NS_PER_S, WallClock

REGISTER_NS = 150 * NS_PER_S
"""As `runtime.cluster.node.wait_longer`: of a busy machine Ray's own half a minute is too short."""
REGISTER_PAUSE_S = (0.01, 0.2)
"""The first and the longest between two looks."""


@contextlib.contextmanager
def slim() -> Iterator[None]:
    """While it is entered `ray.init` starts what a desk needs (GCS, raylet, its agents), and waits no longer than that.

    What `ray start` has options for (`--no-monitor --include-log-monitor=false`), `ray.init` always starts, and with
    them a dashboard server that shows nothing; together a third of a second to two seconds and 200 MB. `ray start`
    itself would leave its processes behind when this one is killed. The agents load as little as without ray[default].
    """
    parameter, node, services, state, utils = (
        importlib.import_module(f"ray._private.{module}")
        for module in ("parameter", "node", "services", "state", "utils")
    )
    get_node = services.get_node

    class SlimParams(parameter.RayParams):  # type: ignore[name-defined,misc]
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **{**named, "include_log_monitor": False, "no_monitor": True})

    def get_node_soon(gcs_address: str, node_id: str) -> Any:
        """The original looks once a second whether the raylet has registered, and not for long."""
        known = state.GlobalState()
        known._initialize_global_state(services._get_gcs_client_options(gcs_address))
        clock = WallClock()
        deadline = clock.now() + REGISTER_NS
        pause_s, longest_s = REGISTER_PAUSE_S
        while clock.now() < deadline:
            if any(row["NodeID"] == node_id for row in known.node_table()):
                break
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.05, longest_s)
        return get_node(gcs_address, node_id)

    with contextlib.ExitStack() as stack:
        for owner, name, replacement in (
            (parameter, "RayParams", SlimParams),
            (node.Node, "start_api_server", lambda *_, **__: None),
            (services, "get_node", get_node_soon),
            (utils, "get_dashboard_dependency_error", lambda: ImportError("no dashboard was asked for")),
        ):
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, replacement)
        yield
