"""Evaluating agents by name: what ``dialog-envs eval`` does, as one call.

from dialog_envs.benchmarks.evaluation import evaluate

run = evaluate("quick", ["my_agent.py:MyAgent"])
print(run.leaderboard.row("PreferenceElicitation-v0", "MyAgent", "hard").success)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from dialog_envs.agents.arguments import parse_assignments
from dialog_envs.agents.registry import AgentSpec, resolve_agent
from dialog_envs.benchmarks.journal import read_episodes, write_text
from dialog_envs.benchmarks.leaderboard import Leaderboard
from dialog_envs.benchmarks.progress import note
from dialog_envs.benchmarks.prompt_variants import VariantTable, variant_tables, variants_of
from dialog_envs.benchmarks.prompt_variants import markdown as variants_markdown
from dialog_envs.benchmarks.record import EpisodeRecord
from dialog_envs.benchmarks.runner import Contestant, Run, run_suite
from dialog_envs.benchmarks.suite import AgentEntry, Suite, load_suite
from dialog_envs.errors import AgentError, CheckpointError, UsageError
from dialog_envs.simulators.llm.budget import Budget, spending

PURSE = ".spent.sqlite"
"""In a run folder: the money that was spent on it."""

__all__ = ["checkpoint_places", "choose_contestants", "default_folder", "evaluate", "write_leaderboard"]


def evaluate(
    suite: str | Path | Suite = "quick",
    agents: Sequence[str | AgentSpec] = (),
    *,
    out: str | Path | None = None,
    only: bool = False,
    split: str = "report",
    checkpoints: str | Path | None = None,
    episodes: int | None = None,
    redo: Sequence[str] = (),
    jobs: int | None = None,
    quiet: bool = False,
    user: str | None = None,
    user_model: str | None = None,
    agent_args: Sequence[str] = (),
    prompt_variants: bool = False,
    max_cost: float | None = None,
) -> Run:
    """Score agents on a suite, and write the leaderboard into the run folder.

    Args:
        suite: a suite's name, its file, or the suite itself.
        agents: names as :func:`dialog_envs.agents.resolve_agent` reads them; they join the suite's own.
        out: the run folder; ``runs/SUITE`` by default. What it holds is not played again.
        only: score the given agents alone, without the suite's own.
        split: ``"report"``, or ``"validation"`` to choose settings.
        checkpoints: folder of trained agents' checkpoints, by name; see :func:`checkpoint_places` for the default.
        episodes: at most so many episodes of each family, for the given agents.
        redo: agents to score afresh.
        jobs: processes for the agents that gain from several (built-in ones, without a chat model); one a core by
            default. Only time and tokens depend on it.
        quiet: no progress on standard error.
        user: who plays the user instead of the suite's own: ``scripted``, ``grounded``, ``llm`` or
            ``module:attribute``. A run folder may hold several: this adds a track to it.
        user_model: the chat model behind it; without ``user``, the model of those of the suite's tracks that have one.
        agent_args: settings of the given agents, ``NAME=VALUE`` each.
        prompt_variants: play each given prompted agent with every paraphrase of its prompts, under names that end in
            ``@VARIANT`` (:mod:`dialog_envs.benchmarks.prompt_variants`).
        max_cost: US dollars that model calls may cost, agents' and users', with what earlier runs in this folder cost.

    Raises:
        BudgetExceeded: the money is spent. What was played is kept.
        DialogEnvsError: one sentence that says what was wrong and what to do.
    """
    chosen = (suite if isinstance(suite, Suite) else load_suite(suite)).played_by(user, user_model)
    folder = Path(out) if out is not None else default_folder(chosen, split)
    places = [Path(checkpoints)] if checkpoints is not None else checkpoint_places(folder)
    settings = parse_assignments(agent_args)
    if settings and not agents:
        raise UsageError("--agent-args are settings of the agents given: add one with --agent.")
    if prompt_variants:
        given = variants_of(agents, places, settings)
    else:
        given = [resolve_agent(a, places, settings) if isinstance(a, str) else a for a in agents]
    contestants = choose_contestants(chosen, given, places, only=only, episodes=episodes, quiet=quiet)
    if not contestants:
        raise AgentError(
            f"no agent to score: give one with --agent (suite '{chosen.name}' has none that can be made)."
        )
    with ExitStack() as stack:
        if max_cost is not None:
            budget = _budget(folder, max_cost)
            stack.callback(budget.close)
            stack.enter_context(spending(budget))
        run = run_suite(chosen, contestants, folder, split=split, redo=redo, jobs=jobs, quiet=quiet)
    records = read_episodes(run.folder)
    write_leaderboard(run.folder, run.leaderboard, records)
    if prompt_variants:
        write_variants(run.folder, variant_tables(records))
    return run


def _budget(folder: Path, limit: float) -> Budget:
    """Money for a run folder, counted in it: calls for episodes that were broken off were paid, too."""
    recorded = sum(record.cost_usd + record.user.get("cost_usd", 0.0) for record in read_episodes(folder))
    budget = Budget(limit, file=folder / PURSE)
    budget.add(max(0.0, recorded - budget.spent))  # of runs that had no budget
    return budget


def write_variants(folder: Path, tables: Sequence[VariantTable]) -> None:
    """Write ``prompt-variants.json`` and ``.md``."""
    text = json.dumps([table.to_json() for table in tables], indent=1, ensure_ascii=False)
    write_text(folder / "prompt-variants.json", text + "\n")
    write_text(folder / "prompt-variants.md", variants_markdown(tables))


def checkpoint_places(run: Path | None = None) -> list[Path]:
    """Where trained agents are looked for: the run's ``checkpoints``, those here, then those of ``runs/*``."""
    others = sorted(
        Path("runs").glob("*/checkpoints"), key=lambda folder: folder.stat().st_mtime, reverse=True
    )
    own = [run / "checkpoints"] if run is not None else []
    return list(dict.fromkeys([*own, Path("checkpoints"), *others]))


def default_folder(suite: Suite, split: str = "report") -> Path:
    """Where a suite's run goes unless told otherwise."""
    return Path("runs") / (suite.name if split == "report" else f"{suite.name}-{split}")


def choose_contestants(
    suite: Suite,
    agents: Sequence[str | AgentSpec],
    checkpoints: Sequence[Path],
    *,
    only: bool = False,
    episodes: int | None = None,
    quiet: bool = False,
) -> list[Contestant]:
    """The suite's agents and the given ones; a given one takes the place of the suite's of the same name.

    A suite's optional agent whose checkpoint is not here is left out, with a note.
    """
    given = [agent if isinstance(agent, AgentSpec) else resolve_agent(agent, checkpoints) for agent in agents]
    names = {spec.name for spec in given}
    chosen = []
    for entry in () if only and given else suite.agents:
        if entry.name in names:
            continue
        spec = _resolve_entry(entry, checkpoints, quiet)
        if spec is not None:
            chosen.append(Contestant(spec, entry.episodes_per_family, entry.optional))
    caps = {entry.name: entry.episodes_per_family for entry in suite.agents}
    return chosen + [Contestant(spec, episodes or caps.get(spec.name)) for spec in given]


def _resolve_entry(entry: AgentEntry, checkpoints: Sequence[Path], quiet: bool) -> AgentSpec | None:
    try:
        return resolve_agent(entry.name, checkpoints)
    except CheckpointError as error:
        if not entry.optional:
            raise
        if not quiet:
            note(f"{entry.name}: left out: {error}")
        return None


def write_leaderboard(
    folder: str | Path, board: Leaderboard, records: Sequence[EpisodeRecord], *, always: bool = False
) -> bool:
    """Write ``leaderboard.json``, ``.md`` and ``.html``. False when they were up to date already.

    Where agents were trained several times, ``comparison.md`` as well (:mod:`dialog_envs.benchmarks.comparison`).

    Raises:
        RunFolderError: the folder cannot be written to.
    """
    from dialog_envs.benchmarks.comparison import comparison
    from dialog_envs.benchmarks.html import html_page
    from dialog_envs.benchmarks.tables import markdown

    folder = Path(folder)
    text = json.dumps(board.to_json(), indent=1, ensure_ascii=False) + "\n"
    files = {kind: folder / f"leaderboard.{kind}" for kind in ("json", "md", "html")}
    current = all(file.is_file() for file in files.values()) and files["json"].read_text("utf-8") == text
    if current and not always:
        return False
    write_text(files["md"], markdown(board))
    if compared := comparison(board):
        write_text(folder / "comparison.md", compared)
    write_text(files["html"], html_page(board, records))
    write_text(files["json"], text)  # last: its presence says that the other two fit it
    return True
