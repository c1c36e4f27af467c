"""Values beside what happened: the table, and the picture (matplotlib)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialog_envs.errors import UsageError

if TYPE_CHECKING:
    from dialog_envs.agents.diagnostics import Bin, Calibration


def table(found: Calibration, title: str) -> str:
    """The figures as text."""
    lines = [
        title,
        f"{found.turns:,} turns of {found.episodes:,} dialogues"
        + (f"; {found.left_out} that the turn cap cut off are left out" if found.left_out else ""),
        "",
        f"error        {found.error:.3f}   mean distance of value and return over the bins",
        f"bias        {found.bias:+.3f}   {'promises too much' if found.bias > 0 else 'promises too little'}",
        f"squared      {found.squared:.3f}   {found.constant:.3f} if every value were the mean return",
        f"correlation {found.correlation:+.3f}",
        "",
        *_rows("turns by their value", found.bins),
        "",
        *_rows("by the number of the turn", found.by_turn),
    ]
    return "\n".join(lines) + "\n"


def _rows(heading: str, bins: tuple[Bin, ...]) -> list[str]:
    lines = [f"{heading:<28}{'turns':>7}{'value':>9}{'return':>9}{'± 95 %':>9}"]
    for number, one in enumerate(bins, start=1):
        lines.append(f"{number:<28}{one.turns:>7}{one.q:>9.3f}{one.realised:>9.3f}{one.margin:>9.3f}")
    return lines


def plot(found: Calibration, title: str, file: str | Path) -> None:
    """Draws the returns over the values, and the error by the number of the turn.

    Raises:
        UsageError: matplotlib is missing, or cannot write such a file.
    """
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        raise UsageError('the picture needs matplotlib: pip install "dialog-envs[plots]".') from error
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4.5), constrained_layout=True)
    _points(left, found)
    turns = [number for number, _ in enumerate(found.by_turn, start=1)]
    right.axhline(0.0, color="0.6", linewidth=1)
    right.errorbar(
        turns, [one.q - one.realised for one in found.by_turn], [one.margin for one in found.by_turn],
        marker="o", capsize=3, color="C3",
    )  # fmt: skip
    right.set(xlabel="turn", ylabel="value less return", title="Error by the number of the turn")
    right.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(title)
    try:
        figure.savefig(file, dpi=150)
    except ValueError as error:
        raise UsageError(f"'{file}' cannot be drawn ({error}): name it .png, .svg or .pdf.") from error
    finally:
        pyplot.close(figure)


def _points(axes: Any, found: Calibration) -> None:
    ends = [one.q for one in found.bins] + [one.realised for one in found.bins]
    low, high = min(0.0, *ends), max(1.0, *ends)
    axes.plot([low, high], [low, high], color="0.6", linewidth=1, label="as promised")
    axes.errorbar(
        [one.q for one in found.bins], [one.realised for one in found.bins], [one.margin for one in found.bins],
        marker="o", capsize=3, linestyle="none", label=f"turns (error {found.error:.3f}, bias {found.bias:+.3f})",
    )  # fmt: skip
    axes.set(xlabel="value Q", ylabel="realised return", title="Return by value")
    axes.legend(loc="best")
