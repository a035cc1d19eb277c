"""Work that may take long, one piece at a time, beside the actor's own thread."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Background(Generic[Result]):
    """Runs what it is given on a daemon thread: what hangs there delays neither messages nor the end of the process."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._result: Result | None = None
        self._error: BaseException | None = None

    @property
    def busy(self) -> bool:
        return self._thread is not None

    def begin(self, work: Callable[[], Result]) -> None:
        """Only when not busy."""
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def take(self) -> Result | None:
        """What the work has returned, once; None as long as it is under way. Raises what the work raised."""
        if self._thread is None or self._thread.is_alive():
            return None
        self._thread = None
        result, self._result = self._result, None
        error, self._error = self._error, None
        if error is not None:
            raise error
        return result

    def _run(self, work: Callable[[], Result]) -> None:
        try:
            self._result = work()
        except BaseException as error:
            self._error = error
