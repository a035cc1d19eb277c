"""What may be sent: the desk's exposure kept as sums, and the checks over it."""

from actors.risk.checks import CHECKS, Check, Proposal
from actors.risk.desk_state import DeskState
from actors.risk.plugins import load_checks

__all__ = ["CHECKS", "Check", "DeskState", "Proposal", "load_checks"]
