"""A dataset's card: the page that says what it is, from its manifest, its dialogues, and what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dialog_envs.datasets import rows as said
from dialog_envs.datasets.beside import read_people
from dialog_envs.datasets.figures import Figures, main_figures
from dialog_envs.datasets.files import DROPPED
from dialog_envs.datasets.markdown import critique_lines, dialogue_lines, fenced, stats_lines, table
from dialog_envs.datasets.reader import Dataset
from dialog_envs.datasets.schema import Episode

MOST_LEFT_OUT = 20
"""People who take no part that the card lists."""


def dataset_card(dataset: Dataset) -> str:
    """The card of a dataset that is there. Raises DatasetError if a file beside the data is damaged."""
    return card(dataset.manifest, dataset.episodes, read_people(dataset.path))


def card(
    manifest: Mapping[str, Any], episodes: Sequence[Episode], proposals: Sequence[Mapping[str, Any]] = ()
) -> str:
    """The card of a dataset.

    Args:
        manifest: its manifest.
        episodes: all of it; what the critique dropped is no part.
        proposals: the people that a model proposed, as ``personas.json`` has them.
    """
    lines = [
        f"# {manifest['task']}: {len(episodes):,} dialogues",
        "",
        *_origin(manifest),
        *_policies(manifest),
    ]
    if not episodes:
        return "\n".join([*lines, "The dataset is empty.", ""])
    found = main_figures(episodes, manifest, proposals)
    lines += _section("Critique", critique_lines(manifest.get("critique") or {}))
    lines += _people(manifest, proposals, episodes)
    lines += _labels(manifest, found)
    lines += _cost(manifest)
    lines += _section("Figures", stats_lines(found.stats))
    lines += _section(
        "Disclosure by turn",
        [said.disclosed(found.disclosure), "", *_table(said.disclosure_rows(found.disclosure))],
    )
    lines += _diversity(found)
    lines += ["## Samples", ""]
    for episode in samples(episodes):
        lines += [*fenced(dialogue_lines(episode), "text"), ""]
    return "\n".join(lines)


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"## {title}", "", *lines, ""]


def _table(rows: said.Rows) -> list[str]:
    return table(rows[0], said.shown(rows[1]))


def _origin(manifest: Mapping[str, Any]) -> list[str]:
    """What it is, and how it was made."""
    families = ", ".join(manifest.get("families") or ()) or "none"
    version = f" (version {manifest['task_version']})" if manifest.get("task_version") else ""
    text = f"{_whose(manifest)} in {manifest['task']}{version}, for offline learning. Families of users: {families}"
    text += "; the hard families are held out. " if manifest.get("command") else ". "
    text += f"An episode a line in the `{_ending(manifest)}` shards; `manifest.json` has the hashes"
    if manifest.get("dropped"):
        text += f", `{manifest['dropped']['file']}` what the critique threw away"
    lines = [f"{text}. {said.rewarded(manifest)}", ""]
    if manifest.get("command"):
        lines += ["Made by", "", *fenced([str(manifest["command"])]), "", _again(manifest), ""]
    return lines


def _whose(manifest: Mapping[str, Any]) -> str:
    if manifest.get("mode") == "imagined":
        name = (manifest.get("models") or {}).get("imaginer")  # a part or a sum of datasets does not say it
        return f"Whole dialogues imagined by a language model{f' (`{name}`)' if name else ''}"
    if manifest.get("mode") == "rollout" and manifest.get("user"):
        version = f" ({manifest['user_version']})" if manifest.get("user_version") else ""
        return f"Dialogues of suboptimal policies with the simulated user `{manifest['user']}`{version}"
    return "Dialogues"


def _ending(manifest: Mapping[str, Any]) -> str:
    """The end of the shards' names."""
    shards = [*manifest.get("shards", ()), manifest.get("dropped") or {"file": DROPPED}]
    return "." + str(shards[0]["file"]).partition(".")[2]


def _again(manifest: Mapping[str, Any]) -> str:
    """What happens if somebody runs the command again."""
    if not manifest.get("models"):
        return "With the same version of the package the command gives the same bytes, on any machine."
    return (
        "With the same version of the package and the same replies of the model (`--model record:FILE=MODEL` keeps "
        "them, `--model replay:FILE` plays them back) the command gives the same bytes. The embedded model gives the "
        "same replies on one machine; on another kind of processor it may round otherwise, and say other words."
    )


def _policies(manifest: Mapping[str, Any]) -> list[str]:
    policies = manifest.get("policies")
    if not policies:
        return []
    imagined = manifest.get("mode") == "imagined"
    rows = [
        (name, float(row["share"]), int(row["episodes"]), row["model"] or "")
        for name, row in policies.items()
    ]
    header = ("prompt" if imagined else "policy", "share asked", "episodes", "model")
    return _section("Prompts" if imagined else "Policies", table(header, rows))


def _people(
    manifest: Mapping[str, Any], proposals: Sequence[Mapping[str, Any]], episodes: Sequence[Episode]
) -> list[str]:
    """Who was proposed, by family, and who could not be used; nothing where no model proposed anybody."""
    facts = (manifest.get("imagination") or {}).get("personas")
    if not facts:
        return []
    spoke = [episode.family for episode in episodes]
    names = sorted({*facts["families"], *spoke})
    rows = [(name, int(facts["families"].get(name, 0)), spoke.count(name)) for name in names]
    lines = [
        f"Of {facts['proposed']} proposed, {facts['used']} take part ({facts['wanted']} were wanted). All of them, "
        "and why the others do not, stand in `personas.json`.",
        "",
        *table(("family", "people", "dialogues"), rows),
    ]
    left_out = [(str(one["name"]), str(one["problem"])) for one in proposals if one.get("problem")]
    if left_out:
        lines += ["", *table(("proposed, and not used", "because"), left_out[:MOST_LEFT_OUT])]
        more = len(left_out) - MOST_LEFT_OUT
        lines += ["", f"… and {more} more"] if more > 0 else []
    return _section("People", lines)


def _labels(manifest: Mapping[str, Any], found: Figures) -> list[str]:
    """How often the outcome that a dialogue was to have is the one that the kernel finds, and what it reads."""
    if found.labels is None:
        return []
    told = manifest.get("imagination") or {}
    wanted = (
        f"{told['success_share']:.0%} of the dialogues were to end in success. "
        if "success_share" in told
        else ""
    )
    lines = _section(
        "Labels",
        [
            f"{wanted}{said.label_agreement(found.labels)} Training uses the kernel's reward; "
            "`dialog-envs train --reward label` uses the label, as the paper does.",
            "",
            *_table(said.label_rows(found.labels)),
        ],
    )
    if told.get("reading"):
        rows = said.reading_rows(told["reading"], found.labels.episodes)
        lines += _section("What the kernel reads", table(("figure", "value"), rows))
    return lines


def _cost(manifest: Mapping[str, Any]) -> list[str]:
    """What models took, and what was thrown away; nothing where none took part."""
    told, cost = manifest.get("imagination"), manifest.get("cost")
    lines = []
    if told:
        text = f"{said.thrown_away(told)} All of it stands in `rejected.jsonl`, with the reason."
        lines += _section("Thrown away", [text])
    if cost:
        lines += _section("Cost", [said.spent(cost), "", *_table(said.cost_rows(cost))])
    return lines


def _diversity(found: Figures) -> list[str]:
    one = next(iter(found.semantic.values()), None)
    lines = [said.repetition(found.stats), "", *_table(said.word_rows(found.lexical))]
    if one is not None:
        lines += [
            "",
            f"Vectors are `{one.embedding}`. The Vendi score is the effective number of different texts among those "
            "that were compared; `dialog-envs data report` has other embeddings, intervals and coverage.",
            "",
            *_table(said.vector_rows(found.semantic)),
        ]
    return _section("Diversity", lines)


def samples(episodes: Sequence[Episode]) -> list[Episode]:
    """One success and one failure, where there are both: the first ones of a common length."""
    found = []
    for success in (True, False):
        rows = [episode for episode in episodes if bool(episode.outcome["success"]) is success]
        good = [episode for episode in rows if 3 <= len(episode.rewards) <= 7]
        found += (good or rows)[:1]
    return found
