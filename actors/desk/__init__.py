"""Operating a running desk from Python: `from actors.desk import connect; desk = connect()`."""

from actors.desk.connect import connect
from actors.desk.desk import Desk
from actors.desk.errors import CommandRefused
from actors.desk.stream import Stream

__all__ = ["CommandRefused", "Desk", "Stream", "connect"]
