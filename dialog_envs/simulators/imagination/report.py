"""``card.md``: the page that stands in a dataset's folder and says what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dialog_envs.datasets.card import critique_lines, dialogue_lines, stats_lines, table
from dialog_envs.datasets.files import DROPPED
from dialog_envs.datasets.schema import Episode
from dialog_envs.datasets.stats import compute_stats
from dialog_envs.simulators.imagination.making import Made
from dialog_envs.simulators.imagination.reasoning import Reasoned


def card(manifest: Mapping[str, Any], attempts: Sequence[Episode], reasoned: Reasoned | None = None) -> str:
    """The card of a dataset.

    Args:
        manifest: its manifest.
        attempts: all attempts, those that the critique dropped included (they are not described, only counted).
        reasoned: who was proposed, where a model proposed people.
    """
    kept = [episode for episode in attempts if episode.critique.verdict != "dropped"]
    families = ", ".join(manifest["families"])
    lines = [
        f"# {manifest['task']}: {len(kept):,} imagined dialogues",
        "",
        f"{_whose(manifest)} in {manifest['task']} (version {manifest['task_version']}), for offline "
        f"learning. Users are of typical families only ({families}); the hard families are held out. An episode a "
        f"line in the `{_ending(manifest)}` shards; "
        f"`manifest.json` has the hashes, `dropped{_ending(manifest)}` what the critique threw away. The rewards are "
        f"{manifest['reward_scheme']}, computed from persona and trace, never by a model.",
        "",
        "Made by",
        "",
        "```",
        str(manifest["command"]),
        "```",
        "",
        _again(manifest),
        "",
        "## Prompts" if manifest["mode"] == "imagined" else "## Policies",
        "",
        *table(
            ("prompt" if manifest["mode"] == "imagined" else "policy", "share asked", "episodes", "model"),
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
        *_imagination_lines(manifest, kept, reasoned),
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


def _whose(manifest: Mapping[str, Any]) -> str:
    if manifest["mode"] == "imagined":
        return f"Whole dialogues imagined by a language model (`{manifest['models'].get('imaginer')}`)"
    return (
        f"Dialogues of suboptimal policies with the simulated user `{manifest['user']}` "
        f"({manifest['user_version']})"
    )


def _ending(manifest: Mapping[str, Any]) -> str:
    """The end of the shards' names, from that of the dropped dialogues, which stand in one in any case."""
    dropped: Mapping[str, Any] = manifest.get("dropped") or {"file": DROPPED}
    return str(dropped["file"]).removeprefix("dropped")


def _again(manifest: Mapping[str, Any]) -> str:
    """What happens if somebody runs the command again."""
    if not manifest.get("models"):
        return "With the same version of the package the command gives the same bytes, on any machine."
    return (
        "With the same version of the package and the same replies of the model (`--model record:FILE=MODEL` keeps "
        "them, `--model replay:FILE` plays them back) the command gives the same bytes. The embedded model gives the "
        "same replies on one machine; on another kind of processor it may round otherwise, and say other words."
    )


def _imagination_lines(
    manifest: Mapping[str, Any], kept: Sequence[Episode], reasoned: Reasoned | None
) -> list[str]:
    """People, labels, what the kernel reads, what was thrown away, and what it cost; nothing without a model."""
    told = manifest.get("imagination")
    if told is None:
        return []
    lines = people_lines(reasoned, kept) if reasoned is not None else []
    if "label" in told:
        lines += label_lines(told["label"], float(told["success_share"]))
        lines += reading_lines(told["reading"], len(kept))
    thrown = ", ".join(f"{number} in '{step}'" for step, number in told["rejected"].items()) or "none"
    lines += [
        "## Thrown away",
        "",
        f"Replies of the model that could not be used, and were asked for again: {thrown}. Of "
        f"{told['attempts']:,} attempts {told['no_usable_reply']} came to no dialogue. All of it stands in "
        "`rejected.jsonl`, with the reason.",
        "",
    ]
    return lines + cost_lines(manifest["cost"])


def people_lines(reasoned: Reasoned, kept: Sequence[Episode]) -> list[str]:
    """Who was proposed, by family, and who could not be used."""
    cast = reasoned.cast
    spoke = [episode.family for episode in kept]
    names = sorted({one.family for one in cast} | set(spoke))
    lines = ["## People", ""]
    lines.append(
        f"Of {len(reasoned.proposals)} proposed, {len(cast)} take part ({reasoned.wanted} were wanted). All of them, "
        "and why the others do not, stand in `personas.json`."
    )
    rows = [(name, sum(one.family == name for one in cast), spoke.count(name)) for name in names]
    lines += ["", *table(("family", "people", "dialogues"), rows), ""]
    left_out = [(one.name, one.problem) for one in reasoned.proposals if one.problem]
    if left_out:
        lines += [*table(("proposed, and not used", "because"), left_out[:20])]
        lines += [f"… and {len(left_out) - 20} more"] if len(left_out) > 20 else []
        lines.append("")
    return lines


def label_lines(label: Mapping[str, Any], share: float) -> list[str]:
    """How often the outcome that a dialogue was to have is the one that the kernel finds."""
    rows = [
        (
            f"to end in {name}",
            int(label[f"label_{name}_kernel_success"]),
            int(label[f"label_{name}_kernel_failure"]),
        )
        for name in ("success", "failure")
    ]
    return [
        "## Labels",
        "",
        f"{share:.0%} of the dialogues were to end in success; among those kept it is {label['success_label']:.0%}. "
        f"Label and the kernel's own reward agree in {label['agree']:.1%}. Training uses the kernel's reward; "
        "`dialog-envs train --reward label` uses the label, as the paper does.",
        "",
        *table(("imagined", "kernel: success", "kernel: failure"), rows),
        "",
    ]


def reading_lines(reading: Mapping[str, Any], episodes: int) -> list[str]:
    """What the kernel reads in the dialogues: could these people have said that?"""
    rows = reading_rows(reading, episodes)
    return ["## What the kernel reads", "", *table(("figure", "value"), rows), ""]


def reading_rows(reading: Mapping[str, Any], episodes: int) -> list[tuple[str, str]]:
    """(figure, value) pairs of what the kernel reads in ``episodes`` dialogues."""
    turns = max(int(reading["user_turns"]), 1)
    told = max(int(reading["elicited"]) + int(reading["volunteered"]), 1)
    return [
        (
            "dialogues that the kernel could have produced exactly",
            f"{reading['possible'] / max(episodes, 1):.1%}",
        ),
        ("user turns that this persona can say", f"{1 - reading['drift_turns'] / turns:.1%}"),
        ("user turns that were no answer, but true", f"{reading['untimely_turns'] / turns:.1%}"),
        ("user turns in which nothing could be read", f"{reading['unread_turns'] / turns:.1%}"),
        ("facts told because of what the agent said", f"{reading['elicited'] / told:.1%}"),
        ("lines after the end, left out", f"{reading['left_out']:,}"),
    ]


def cost_lines(cost: Mapping[str, Any]) -> list[str]:
    """What the calls took, by role."""
    rows = [
        (role, int(row["calls"]), int(row["tokens_in"]), int(row["tokens_out"]), f"{row['cost_usd']:.4f}")
        for role, row in cost["usage"].items()
    ]
    return [
        "## Cost",
        "",
        f"{cost['usd']:.4f} US dollars, {cost['usd_per_dialogue']:.6f} a dialogue that was kept.",
        "",
        *table(("role", "calls", "tokens read", "tokens written", "US dollars"), rows),
        "",
    ]


def people_text(reasoned: Reasoned) -> str:
    """``personas.json``: everybody who was proposed, and what became of them."""
    data = reasoned.facts() | {"proposals": [one.to_json() for one in reasoned.proposals]}
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def critique_log(made: Sequence[Made]) -> str:
    """``critiques.jsonl``: each dialogue that the critic judged, with all its versions and verdicts."""
    rows = (
        {"id": one.episode.id, "versions": [version.to_json() for version in one.versions]}
        for one in made
        if one.versions and one.episode is not None
    )
    return "".join(_line(row) for row in rows)


def rejected_log(made: Sequence[Made], reasoned: Reasoned | None) -> str:
    """``rejected.jsonl``: every reply that was thrown away, with the reason."""
    rows: list[dict[str, Any]] = [
        one.to_json() for one in (reasoned.rejected if reasoned is not None else ())
    ]
    rows += [{"attempt": index, **one.to_json()} for index, part in enumerate(made) for one in part.rejected]
    return "".join(_line(row) for row in rows)


def _line(row: Mapping[str, Any]) -> str:
    text = json.dumps(row, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = json.dumps(row)
    return text + "\n"


def samples(episodes: Sequence[Episode]) -> list[Episode]:
    """One success and one failure, where there are both: the first ones of a common length."""
    found = []
    for success in (True, False):
        rows = [episode for episode in episodes if bool(episode.outcome["success"]) is success]
        good = [episode for episode in rows if 3 <= len(episode.rewards) <= 7]
        found += (good or rows)[:1]
    return found
