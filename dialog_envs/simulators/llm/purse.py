"""Where a budget's money is counted: in this process, or in a file that the processes of a run share."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from typing import Literal, Protocol

from dialog_envs.errors import UsageError

Answer = Literal["taken", "later", "never"]


class Purse(Protocol):
    """Money that was spent, and money that is set aside for calls under way."""

    def spent(self) -> float:
        """US dollars spent."""

    def add(self, cost_usd: float) -> None:
        """Count money that was spent."""

    def take(self, amount: float, limit: float) -> Answer:
        """Set money aside, if spent and set aside stay within `limit`; ``later`` if what is set aside may come back."""

    def give_back(self, amount: float) -> None:
        """What was set aside is no longer needed."""


class MemoryPurse:
    """Counts in this process."""

    def __init__(self, spent: float) -> None:
        self._spent, self._reserved = spent, 0.0
        self._lock = threading.Lock()

    def spent(self) -> float:
        """US dollars spent."""
        return self._spent

    def add(self, cost_usd: float) -> None:
        """Count money that was spent."""
        with self._lock:
            self._spent += cost_usd

    def take(self, amount: float, limit: float) -> Answer:
        """Set money aside."""
        with self._lock:
            answer = decide(self._spent, self._reserved, amount, limit)
            if answer == "taken":
                self._reserved += amount
            return answer

    def give_back(self, amount: float) -> None:
        """What was set aside is no longer needed."""
        with self._lock:
            self._reserved = max(0.0, self._reserved - amount)


class FilePurse:
    """Counts in a sqlite file, a row a process. What dead processes had set aside is free again.

    Args:
        file: where it is; made if it is not there.

    Raises:
        UsageError: it cannot be used.
    """

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(file, timeout=30.0, isolation_level=None, check_same_thread=False)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = off")  # a count of money that a crashed machine may lose
            self._db.execute(
                "create table if not exists purse (pid integer primary key, spent real not null, aside real not null)"
            )
            for (pid,) in self._db.execute("select pid from purse where aside > 0").fetchall():
                if pid == self._pid or not _alive(pid):
                    self._db.execute("update purse set aside = 0 where pid = ?", (pid,))
            self._db.execute("insert or ignore into purse values (?, 0, 0)", (self._pid,))
        except (sqlite3.Error, OSError) as error:
            raise UsageError(f"cannot count a budget in '{file}': {error}.") from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def spent(self) -> float:
        """US dollars spent, by all processes."""
        with self._lock:
            return float(self._db.execute("select coalesce(sum(spent), 0) from purse").fetchone()[0])

    def add(self, cost_usd: float) -> None:
        """Count money that was spent."""
        with self._lock:
            self._db.execute("update purse set spent = spent + ? where pid = ?", (cost_usd, self._pid))

    def take(self, amount: float, limit: float) -> Answer:
        """Set money aside."""
        with self._lock:
            self._db.execute("begin immediate")
            try:
                spent, aside = self._db.execute("select sum(spent), sum(aside) from purse").fetchone()
                answer = decide(spent, aside, amount, limit)
                if answer == "taken":
                    self._db.execute("update purse set aside = aside + ? where pid = ?", (amount, self._pid))
            finally:
                self._db.execute("commit")
            return answer

    def give_back(self, amount: float) -> None:
        """What was set aside is no longer needed."""
        with self._lock:
            self._db.execute("update purse set aside = max(0, aside - ?) where pid = ?", (amount, self._pid))


def decide(spent: float, reserved: float, amount: float, limit: float) -> Answer:
    """Whether there is enough now, may be later, or never will be."""
    if spent + amount > limit:
        return "never"
    return "taken" if spent + reserved + amount <= limit else "later"


def _alive(pid: int) -> bool:
    if os.name != "posix":
        return True  # rather wait for money that is free than spend what is not
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
