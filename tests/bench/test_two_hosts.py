"""The benchmark of a stream between two hosts; its rows are looked at in test_bench.py."""

import io

import pytest
from rich.console import Console

from scripts.benchmarks import two_hosts


def test_without_namespaces_nothing_is_measured_and_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_hosts, "why_not", lambda: "no root")
    printed = io.StringIO()
    assert two_hosts.measure(1) == []
    two_hosts.print_rows(Console(file=printed, width=100), [])
    assert printed.getvalue() == "one stream on two hosts: not measured, no root\n"
