"""The notebooks run from the first cell to the last, in a real Jupyter kernel, against a desk on a real cluster."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from actors.desk import connect
from tests.desk.runs import ROOT
from tests.operating.clusters import ray_head
from tests.operating.desks import actions, demo, trading_desk
from tests.survival.desks import until

NOTEBOOKS = ROOT / "scripts" / "notebooks"
CELL_TIMEOUT_S = 300


def execute(notebook: Path, desk: str, folder: Path) -> list[dict[str, Any]]:
    """Its code cells with what they put out; fails with the traceback of the first cell that raised."""
    output = folder / notebook.name
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("jupyter-execute")),
            *(
                str(notebook),
                f"--timeout={CELL_TIMEOUT_S}",
                "--startup_timeout=300",
                f"--output={output.with_suffix('')}",
            ),
        ],
        cwd=folder,
        env={
            **os.environ,
            "OUTCRY_DESK": desk,
            "XDG_RUNTIME_DIR": str(folder) if desk else os.environ["XDG_RUNTIME_DIR"],
            "JUPYTER_RUNTIME_DIR": str(folder / "jupyter"),
            "IPYTHONDIR": str(folder / "ipython"),
            "MPLCONFIGDIR": str(folder / "matplotlib"),
        },
        capture_output=True,
        text=True,
        timeout=10 * CELL_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    cells: list[dict[str, Any]] = json.loads(output.read_text())["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def said(cells: list[dict[str, Any]], code: str) -> str:
    """What the cell that begins so put out, as text."""
    (cell,) = [cell for cell in cells if "".join(cell["source"]).startswith(code)]
    found = []
    for output in cell["outputs"]:
        found += output.get("text", []) or output.get("data", {}).get("text/plain", [])
    return "".join(found)


def pictures(cells: list[dict[str, Any]]) -> int:
    return sum("image/png" in output.get("data", {}) for cell in cells for output in cell["outputs"])


def test_the_notebooks_are_kept_without_what_they_put_out() -> None:
    names = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
    assert names == ["operate.ipynb", "quick_start.ipynb"]
    for name in names:
        for cell in json.loads((NOTEBOOKS / name).read_text())["cells"]:
            assert (cell.get("outputs", []), cell.get("execution_count")) == ([], None)


@pytest.mark.slow
@pytest.mark.ray
def test_the_notebooks_run_through_ray_client_and_the_desk_goes_on_when_their_kernels_are_gone(tmp_path: Path) -> None:
    with ray_head() as head, trading_desk(demo(address=head.address)) as run:
        lives = {name: actor["incarnation"] for name, actor in run.status()["actors"].items()}
        with connect(frames="plain") as desk:
            until(lambda: len(desk.quotes()) == 2, "no quote of one of them")

        quick = execute(NOTEBOOKS / "quick_start.ipynb", head.client, tmp_path)
        assert "strategy.maker" in said(quick, "desk.tree()")
        assert "binance.ETHUSDT" in said(quick, "desk.quotes()")
        assert said(quick, "order = desk.buy").startswith("('FILLED', ")
        assert said(quick, "refused = desk.buy").startswith("('DENIED', 'MAX_ORDER_NOTIONAL")

        operate = execute(NOTEBOOKS / "operate.ipynb", head.client, tmp_path)
        assert pictures(operate) == 3
        assert "tick_to_wire" in said(operate, "latency = desk.latency()")
        assert "MAX_ORDER_QUANTITY: 0.001, limit 0.0005" in said(operate, "before = desk.limits()")
        assert "'state': 'READY'" in said(operate, "desk.add_strategy(")
        assert "HALTED: by " in said(operate, "desk.halt(")
        assert said(operate, "done = desk.flatten()").endswith(", [])")
        assert said(operate, "desk.resume()") == "{'halted': ''}"

        did = [(client, action) for _, client, action, _ in actions(run.journal)]
        assert did == [
            *[("quick start", "SUBMIT")] * 2,
            ("operate", "CHANGE_LIMIT"),
            ("operate", "SUBMIT"),
            ("operate", "CHANGE_LIMIT"),
            *[("operate", "RECONFIGURE")] * 2,
            ("operate", "HALT"),
            ("operate", "SUBMIT"),
            ("operate", "FLATTEN"),
            ("operate", "RESUME"),
        ]
        fills = run.status()["fills"]
        after = run.until(lambda status: status["fills"] > fills)
        assert {name: actor["incarnation"] for name, actor in after["actors"].items()} == lives
