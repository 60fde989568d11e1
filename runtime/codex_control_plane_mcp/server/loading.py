"""Modules that load at the first call: one thread at a time.

Python locks each module by itself. Two threads that load a package and a module within it from different ends
would wait for each other, and Python then hands one of them a module that is half there.
"""

import threading
from typing import Final

LOADING: Final = threading.RLock()
"""Held by whoever imports what the first replies of a server do without."""
