"""What operators have put in force, as a pure function of the journal: a halt, and limits changed while it runs."""

import msgspec

from actors.messages import OperatorActed, OperatorAction


class Controls(msgspec.Struct):
    halted: str = ""
    """Who and why. It stays, whatever is restarted, the whole run included, until somebody resumes."""
    limits: dict[str, str] = msgspec.field(default_factory=dict)
    """Name → value. They stay until the end of the run: the next one reads its configuration."""

    def apply(self, event: OperatorActed) -> None:
        match event.action:
            case OperatorAction.HALT:
                reason = event.arguments.get("reason", "")
                self.halted = f"by {event.who} ({event.client})" + (f": {reason}" if reason else "")
            case OperatorAction.RESUME:
                self.halted = ""
            case OperatorAction.CHANGE_LIMIT:
                self.limits[event.arguments["name"]] = event.arguments["value"]
            case OperatorAction.SUBMIT | OperatorAction.CANCEL | OperatorAction.FLATTEN | OperatorAction.RECONFIGURE:
                pass
