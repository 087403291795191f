"""How much memory something takes at most: ``tracemalloc``, with garbage collected as often as the program has it.

The tests look for cycles seldom (see ``conftest.py``); what lies about until then would count as memory that is needed.
"""

from __future__ import annotations

import gc
import tracemalloc

_SELDOM = gc.get_threshold()
_AS_EVER = (700, 10, 10)  # what the interpreter begins with


def start() -> None:
    """Count from here on what is allocated."""
    gc.collect()
    gc.set_threshold(*_AS_EVER)
    tracemalloc.start()


def stop() -> None:
    """Count no more."""
    tracemalloc.stop()
    gc.set_threshold(*_SELDOM)
