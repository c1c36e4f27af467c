"""Golden transcripts: one dialogue a family, to read aloud, and to see what a change does to how people talk.

``python -m tests.golden.make`` looks for the first seed at which a policy's dialogue shows what the family is about,
and writes the files. ``python -m tests.golden.make --keep`` writes the dialogues of the seeds that stand in the files:
use it after a change of wording, and read the difference.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from dialog_envs.agents.scripted import ScriptedAgent
from dialog_envs.core.dialogue import AGENT
from dialog_envs.core.env import DialogEnv
from dialog_envs.registration import get_task
from dialog_envs.testing import play

FOLDER = Path(__file__).parent

SHOWS: dict[str, dict[str, tuple[str, str]]] = {
    "PreferenceElicitation-v0": {
        "easygoing": ("competent", r"volunteer\(.*reject\(.*accept\("),
        "focused": ("heuristic", r"answer\(.*answer\(.*answer\(.*accept\(.*success"),
        "reserved": ("heuristic", r"evade\(.*answer\(.*accept\("),
        "hesitant": ("heuristic", r"answer\(.*hesitate\(.*accept\(.*success"),
        "cost_averse": ("competent", r"answer\(budget, any\).*reject\(budget, low.*accept\(.*success"),
        "indecisive": ("competent", r"answer\(.*hesitate\(.*hesitate\(.*accept\("),
        "terse": ("competent", r"evade\(.*reject\([^,]*\).*accept\("),
        "impatient": ("competent", r"answer\(.*reject\(.*leave"),
        "changeable": ("heuristic", r"answer\(theme.*change\(theme.*accept\(.*success"),
        "contradictory": ("heuristic", r"answer\((crowd|pace|setting).*reject\(\1.*accept\("),
    },
    "Instruction-v0": {
        "curious": ("competent", r"show\(gap.*puzzled\(basis.*follow\(.*show\(right.*success"),
        "quiet": ("examiner", r"evade\(.*follow\(.*puzzled\(.*content"),
        "chatty": ("storyteller", r"object\(.*insight\(.*puzzled\(childish.*follow\("),
        "busy": ("lecturer", r"claim\(known, .*tired.*leave"),
        "overclaims": ("credulous", r"claim\(known, .*claim\(known, .*content failure"),
        "underclaims": ("heuristic", r"show\(right.*follow\(.*thanks.*success"),
        "stubborn": ("lecturer", r"follow\(([a-z-]+)\).*puzzled\(basis, \1\)"),
        "restless": ("professor", r"show\(.*puzzled\(technical.*tired.*leave"),
        "deflects": ("heuristic", r"counter\(.*follow\(.*counter\(.*success"),
    },
    "Persuasion-v0": {
        "warm": ("competent", r"answer\(values.*object\(.*resolved\(.*promise\(.*donate\("),
        "practical": ("heuristic", r"object\(.*resolved\(.*decline.*donate\(.*success"),
        "cautious": ("stepper", r"evade\(.*agree\(token.*donate\("),
        "busy": ("heuristic", r"warm\(.*promise\(.*donate\(.*success"),
        "guarded": ("heuristic", r"object\(.*resolved\(.*decline.*reveal\(.*resolved\(.*donate\("),
        "yes_sayer": ("heuristic", r"promise\(.*(decline|object|doubt).*reveal\(.*donate\("),
        "reactant": ("pusher", r"warm\(.*bristle\(pressure.*leave"),
        "evidence_only": ("storyteller", r"cool\((story|emotional|identity).*doubt\(evidence.*resolved\("),
    },
}
"""Task → family → the agent's policy, and what the user's acts and the outcome must show, in this order."""
_HEADER = re.compile(r"agent (?P<policy>\S+), seed (?P<seed>\d+)")


def path(task: str, family: str) -> Path:
    """``preference/easygoing.txt``: the folder is called like the task's package."""
    return FOLDER / type(get_task(task)).__module__.split(".")[-2] / f"{family}.txt"


def episode(task: str, family: str, policy: str, seed: int) -> DialogEnv:
    """The dialogue of a seed, played to its end."""
    return play(task, ScriptedAgent(policy, task), seed, family)[0]


def transcript(task: str, family: str, policy: str, seed: int) -> str:
    """Persona, the brief's first line, words with acts, and the outcome, as text."""
    env = episode(task, family, policy, seed)
    assert env.outcome is not None
    rows = "\n".join(f"  {name}: {value}" for name, value in env.task.persona_card(env.persona))
    lines = [
        f"{task}, agent {policy}, seed {seed}",
        rows,
        f"  brief: {env.scenario.brief.splitlines()[0]}",
        "",
    ]
    for turn in env.turns:
        who = "Agent" if turn.speaker == AGENT else "User "
        lines += [f"{who}  {turn.text}", f"       [{'; '.join(map(str, turn.acts))}]"]
    return "\n".join([*lines, "", result(env), ""])


def result(env: DialogEnv) -> str:
    """One line on the outcome."""
    assert env.outcome is not None
    kind = "success" if env.outcome.success else "failure"
    return f"{kind}, graded {env.outcome.graded:.3f}, ended by {env.outcome.ended_by}"


def shows(task: str, family: str, seed: int) -> bool:
    """Whether the dialogue of a seed shows what the family is about."""
    policy, pattern = SHOWS[task][family]
    env = episode(task, family, policy, seed)
    told = " ".join(str(act) for turn in env.turns if turn.speaker != AGENT for act in turn.acts)
    return len(env.turns) >= 7 and re.search(pattern, f"{told} {result(env)}") is not None


def read_header(text: str) -> tuple[str, int]:
    """Policy and seed of a golden file."""
    found = _HEADER.search(text)
    assert found is not None, "a golden file begins with a line 'ID, agent POLICY, seed SEED'"
    return found["policy"], int(found["seed"])


def main(keep: bool) -> None:
    """Write every file."""
    for task, families in SHOWS.items():
        for number, (family, (policy, _)) in enumerate(families.items()):
            file = path(task, family)
            file.parent.mkdir(exist_ok=True)
            if keep and file.exists():
                policy, seed = read_header(file.read_text(encoding="utf-8"))
            else:
                first = 1000 * number  # another scenario and other people for each family
                seed = next(seed for seed in range(first, first + 1000) if shows(task, family, seed))
            file.write_text(transcript(task, family, policy, seed), encoding="utf-8")
            sys.stdout.write(f"{file.relative_to(FOLDER)}: agent {policy}, seed {seed}\n")


if __name__ == "__main__":
    main(keep="--keep" in sys.argv[1:])
