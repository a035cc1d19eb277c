"""`python -m tests.cluster.nodes ADDRESS IP`: the nodes of a Ray cluster, asked from the node with that IP."""

import importlib
import logging
import sys
from typing import Any


def main(address: str, ip: str) -> None:
    ray: Any = importlib.import_module("ray")
    ray.init(address=address, _node_ip_address=ip, log_to_driver=False, logging_level=logging.ERROR)
    for node in ray.nodes():
        print("alive" if node["Alive"] else "dead", node["NodeManagerAddress"], node["Labels"])


if __name__ == "__main__":
    main(*sys.argv[1:])
