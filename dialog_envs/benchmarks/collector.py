"""How often Python looks for cyclic garbage, in processes of our own.

By default it looks after every 700 new objects. With hundreds of dialogues under way most of them are in use, the
search finds nothing, and takes a third of the time (``python -m dialog_envs.benchmarks.speed llm``). Programs do this,
not the library: the setting holds for a whole process.
"""

from __future__ import annotations

import gc

OBJECTS = 20_000
"""New objects before the youngest ones are looked through."""


def collect_rarely() -> None:
    """Look for cyclic garbage after every :data:`OBJECTS` new objects."""
    gc.set_threshold(OBJECTS, *gc.get_threshold()[1:])
