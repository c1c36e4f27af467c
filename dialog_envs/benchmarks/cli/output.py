"""What several verbs print."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialog_envs.benchmarks.leaderboard import Leaderboard


def show_leaderboard(board: Leaderboard) -> None:
    """The leaderboard as a table on standard output, as wide as it needs to be where nobody watches."""
    from rich.console import Console

    from dialog_envs.benchmarks.tables import print_leaderboard

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((160, 24)).columns if terminal else 160
    print_leaderboard(board, Console(file=sys.stdout, width=width, soft_wrap=not terminal))
