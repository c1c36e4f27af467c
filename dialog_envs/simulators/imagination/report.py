"""``card.md``: the page that stands in a dataset's folder and says what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dialog_envs.datasets.card import critique_lines, dialogue_lines, stats_lines, table
from dialog_envs.datasets.schema import Episode
from dialog_envs.datasets.stats import compute_stats


def card(manifest: Mapping[str, Any], attempts: Sequence[Episode]) -> str:
    """The card of a dataset.

    Args:
        manifest: its manifest.
        attempts: all attempts, those that the critique dropped included (they are not described, only counted).
    """
    kept = [episode for episode in attempts if episode.critique.verdict != "dropped"]
    families = ", ".join(manifest["families"])
    lines = [
        f"# {manifest['task']}: {len(kept):,} imagined dialogues",
        "",
        f"Dialogues of suboptimal policies with the simulated user `{manifest['user']}` "
        f"({manifest['user_version']}) in {manifest['task']} (version {manifest['task_version']}), for offline "
        f"learning. Users are of typical families only ({families}); the hard families are held out. An episode a "
        "line in the `.jsonl` shards; "
        f"`manifest.json` has the hashes, `dropped.jsonl` what the critique threw away. The rewards are "
        f"{manifest['reward_scheme']}, computed from persona and trace, never by a model.",
        "",
        "Made by",
        "",
        "```",
        str(manifest["command"]),
        "```",
        "",
        "## Policies",
        "",
        *table(
            ("policy", "share asked", "episodes", "model"),
            [
                (name, float(row["share"]), int(row["episodes"]), row["model"] or "")
                for name, row in manifest["policies"].items()
            ],
        ),
        "",
        "## Critique",
        "",
        *critique_lines(manifest["critique"]),
        "",
        "## Figures",
        "",
        *stats_lines(compute_stats(kept, manifest)),
        "",
        "## Samples",
        "",
    ]
    for episode in samples(kept):
        lines += ["```text", *dialogue_lines(episode), "```", ""]
    return "\n".join(lines)


def samples(episodes: Sequence[Episode]) -> list[Episode]:
    """One success and one failure, where there are both: the first ones of a common length."""
    found = []
    for success in (True, False):
        rows = [episode for episode in episodes if bool(episode.outcome["success"]) is success]
        good = [episode for episode in rows if 3 <= len(episode.rewards) <= 7]
        found += (good or rows)[:1]
    return found
