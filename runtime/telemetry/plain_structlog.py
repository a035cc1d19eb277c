"""structlog without rich, which it imports wherever rich is installed: 45 ms and 3 MB of each host, for nothing.

A host writes JSON and its console log prints tracebacks plainly, so rich would never be called.
"""

import sys
from typing import Any

_modules: dict[str, Any] = sys.modules
_hidden = "rich" not in _modules
if _hidden:
    _modules["rich"] = None
try:
    import structlog as structlog
finally:
    if _hidden:
        del _modules["rich"]
