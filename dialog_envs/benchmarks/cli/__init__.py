"""The command line ``dialog-envs``.

Results go to standard output (``--json`` for machines), progress and notes to standard error. A mistake is one line
``error: …`` and exit code 2; an interrupt says what is kept and exits with 130.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Any

from dialog_envs.errors import DialogEnvsError

__all__ = ["main"]

_INTERRUPTED = 130
_STOPPED = (
    "stopped. Finished dialogues, trainings and episodes are kept: run the same command again to go on."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Args:
        arguments: the words after the program's name; those of the process by default.
    """
    from dialog_envs.benchmarks.cli.app import build_command
    from dialog_envs.benchmarks.collector import collect_rarely

    collect_rarely()
    if isinstance(sys.stdout, TextIOWrapper):  # a model's odd characters are shown as the terminal can
        sys.stdout.reconfigure(errors="replace")
    if (
        os.getcwd() not in sys.path
    ):  # modules of one's own, as module:MyAgent; last, so that they hide nothing
        sys.path.append(os.getcwd())
    try:
        result = build_command().main(
            args=list(arguments) if arguments is not None else None,
            prog_name="dialog-envs",
            standalone_mode=False,
        )
        sys.stdout.flush()
        if result == _INTERRUPTED:  # how newer versions of typer report Ctrl-C
            return _say(_STOPPED, _INTERRUPTED)
        return result if isinstance(result, int) else 0
    except DialogEnvsError as error:
        return _say(f"error: {_one_line(error)}", error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has seen enough (`| head`). Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _say(f"error: {_disk_trouble(error)}", 2)
    except (KeyboardInterrupt, Exception) as error:
        if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
            return _say(_STOPPED, _INTERRUPTED)
        if callable(getattr(error, "show", None)):  # a wrong option or argument; it knows how to say so
            return _usage(error)
        raise


def _usage(error: Any) -> int:
    """A wrong option or argument, as typer reports it, in one line; no argument at all shows the help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message())
        return 0
    return _say(f"error: {' '.join(error.format_message().split()).rstrip('.')}. See: dialog-envs --help", 2)


def _disk_trouble(error: OSError) -> str:
    """What the system refused, where, and what to do."""
    where = f" at '{error.filename}'" if error.filename else ""
    advice = (
        "free some space or choose another folder with -o"
        if error.errno == errno.ENOSPC
        else "check the path"
    )
    return f"{error.strerror or _one_line(error)}{where}: {advice}. What was finished is kept."


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _say(text: str, code: int) -> int:
    print(text, file=sys.stderr, flush=True)
    return code
