"""Loading what no client should wait for before its first reply: the store, the handlers, the workforce."""

import threading
from typing import Final

LOADING: Final = threading.RLock()
"""Held while a module is imported after the start: one thread at a time.

Of two threads that import modules which lead to each other, Python shows one a module that is half there.
"""
