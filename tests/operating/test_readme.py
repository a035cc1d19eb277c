"""What the README shows of operating a desk from Python does that, as it is written there."""

import re

import pytest

from actors.desk import connect
from tests.desk.runs import ROOT
from tests.operating.desks import actions, trading_desk


@pytest.mark.slow
def test_the_readmes_example_operates_the_run_on_this_machine() -> None:
    example, _ = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    with trading_desk() as run:
        exec(compile(example, "README.md", "exec"), {})
        assert [action for _, _, action, _ in actions(run.journal)] == ["SUBMIT", "HALT", "FLATTEN", "RESUME"]
        with connect(frames="plain") as desk:
            assert desk.limits()["halted"] == ""
