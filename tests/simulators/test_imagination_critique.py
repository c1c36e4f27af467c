"""Criteria on hand-made dialogues, and repairs that the kernel allows or forbids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.datasets import Critique, Episode, Provenance
from dialog_envs.datasets.replay import impossible_turn, misread_turn
from dialog_envs.registration import get_task
from dialog_envs.simulators.imagination.critique import CRITERIA, criticise, failed, looped
from dialog_envs.simulators.imagination.revise import revise

TASK = get_task("PreferenceElicitation-v0")
ASK, SUGGEST = Act("ask", slot="theme"), Act("suggest", item="x/y")
ACCEPT, LEAVE = Act("accept", item="x/y"), Act("leave")


def told(kind: str, *slots: str) -> tuple[Act, ...]:
    return tuple(Act(kind, slot=slot, value="any") for slot in slots)


def episode(
    exchanges: Sequence[tuple[str, tuple[Act, ...], tuple[Act, ...]]], ended_by: str, success: bool = False
) -> Episode:
    """An episode of (agent text, agent acts, user acts)."""
    turns = [Turn(USER, "Hello.", (Act("greet"),))]
    for text, agent, user in exchanges:
        turns += [Turn(AGENT, text, agent), Turn(USER, "Well.", user)]
    rewards = (0.0,) * (len(exchanges) - 1) + (float(success),) if exchanges else ()
    outcome = {"success": success, "graded": 0.0, "ended_by": ended_by}
    return Episode(
        "e", TASK.id, 0, "focused", {}, {}, tuple(turns), rewards, float(success), outcome, Critique(),
        Provenance("rollout", "hand", "scripted"),
    )  # fmt: skip


GOOD = [("What theme?", (ASK,), told("answer", "theme")), ("This one.", (SUGGEST,), (ACCEPT,))]


def test_a_good_dialogue_is_kept() -> None:
    found = criticise(episode(GOOD, "accept", True))
    assert found.critique.verdict == "kept" and not failed(found)
    assert [row.name for row in found.critique.criteria] == list(CRITERIA)
    assert all(row.reason == "" for row in found.critique.criteria)


def test_settling_is_legitimate() -> None:
    assert not failed(criticise(episode(GOOD, "accept", False)))


CASES: dict[str, tuple[str, Sequence[tuple[str, tuple[Act, ...], tuple[Act, ...]]], str, bool]] = {
    "tells four things at once": (
        "gradual", [("What?", (ASK,), told("answer", "theme", "pace", "crowd", "time")), GOOD[1]], "accept", True,
    ),
    "volunteers most": (
        "gradual",
        [("What?", (ASK,), told("volunteer", "theme", "pace")), ("And?", (ASK,), told("volunteer", "crowd", "time")),
         GOOD[1]],
        "accept", True,
    ),
    "success without accepting": ("fitting-end", [("What?", (ASK,), (LEAVE,))], "leave", True),
    "accepts, but is said to leave": ("fitting-end", GOOD, "leave", False),
    "leaves, but is said to accept": ("fitting-end", [("What?", (ASK,), (LEAVE,))], "accept", False),
    "goes on after accepting": (
        "fitting-end", [("This.", (SUGGEST,), (ACCEPT,)), ("What?", (ASK,), (LEAVE,))], "leave", False,
    ),
    "leaves at the turn limit": ("fitting-end", [("What?", (ASK,), (LEAVE,))], "cap", False),
    "says it three times": (
        "no-loops",
        [("What theme?", (ASK,), ()), ("what theme", (Act("inform"),), ()), ("What THEME?!", (SUGGEST,), (LEAVE,))],
        "leave", False,
    ),
    "does it three times in other words": (
        "no-loops", [(text, (ASK,), (LEAVE,) if text == "c" else ()) for text in "abc"], "leave", False,
    ),
    "goes back and forth": (
        "no-loops",
        [("a", (ASK,), ()), ("b", (SUGGEST,), ()), ("a", (ASK,), ()), ("b", (SUGGEST,), (LEAVE,))],
        "leave", False,
    ),
    "only small talk": ("learnable", [("Hello!", (Act("greet"),), ()), ("Nice.", (), (LEAVE,))], "leave", False),
    "mostly nonsense": (
        "learnable",
        [("blub", (Act("unknown"),), ()), ("bla", (), ()), ("What?", (ASK,), (LEAVE,))], "leave", False,
    ),
    "silence": ("learnable", [], "agent", False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_criterion_catches_its_fault(name: str) -> None:
    criterion, exchanges, ended_by, success = CASES[name]
    found = criticise(episode(exchanges, ended_by, success))
    assert found.critique.verdict == "dropped"
    assert criterion in failed(found)
    assert all(row.reason for row in found.critique.criteria if not row.passed)
    if name not in ("silence",):
        assert failed(found) == [criterion]


def test_loops_are_found_anywhere() -> None:
    assert looped("xabab") and looped("ababx")
    assert not looped("aaaa") and not looped("abcabc") and not looped("aba")


# ---- revision --------------------------------------------------------------------------------------------------------


def played(agent_turns: Sequence[tuple[Act, ...]], seed: int = 0) -> Episode:
    """A dialogue of a patient, open user with an agent that does exactly this."""
    rng = np.random.Generator(np.random.PCG64(seed))
    persona = TASK.prior.sample(rng, "easygoing")
    scenario = TASK.sample_scenario(rng)
    state = TASK.kernel.start(scenario, persona)
    turns: list[Turn] = [Turn(USER, TASK.language.opening(persona, scenario, rng), (Act("greet"),))]
    ended_by: str | None = None
    for acts in agent_turns:
        text = TASK.language.say(acts, scenario, rng)
        heard = TASK.language.understand(text, scenario, tuple(turn.view() for turn in turns))
        user, state, ended_by = TASK.kernel.step(state, heard, rng)
        views = (*(turn.view() for turn in turns), {"speaker": AGENT, "text": text})
        reply = TASK.language.phrase(user, persona, scenario, rng, views)  # type: ignore[arg-type]
        turns += [Turn(AGENT, text, heard), Turn(USER, reply, user)]
        if ended_by:
            break
    ended_by = ended_by or "cap"
    outcome = TASK.score(persona, scenario, turns, ended_by)
    rewards = outcome.rewards("binary")
    return Episode(
        "e", TASK.id, seed, persona.family, persona.to_json(), scenario.to_json(), tuple(turns), rewards,
        sum(rewards), outcome.to_json(metrics=False), Critique(), Provenance("rollout", "hand", "scripted"),
    )  # fmt: skip


def best(seed: int) -> Act:
    """Suggests what the user of ``played(…, seed)`` accepts."""
    rng = np.random.Generator(np.random.PCG64(seed))
    persona = TASK.prior.sample(rng, "easygoing")
    scenario: Any = TASK.sample_scenario(rng)
    rank = {
        item: TASK.score(persona, scenario, [Turn(USER, "", (Act("accept", item=item),))], "accept").graded
        for item in scenario.items
    }
    return Act("suggest", item=max(rank, key=lambda item: rank[item]))


def test_repetitions_are_left_out_where_the_rest_could_have_happened() -> None:
    ask = (Act("ask", slot="theme"),)
    made = criticise(played([ask, ask, ask, (best(0),)]))
    assert made.outcome["ended_by"] == "accept" and failed(made) == ["no-loops"]
    found = revise(TASK, made)
    assert found.critique.verdict == "revised"
    assert failed(found) == ["no-loops"], "the verdicts are those of the dialogue as it was made"
    assert "left out exchange 3" in found.critique.criteria[2].reason
    assert len(found.turns) == len(made.turns) - 2 and found.rewards == (0.0, 0.0, 1.0)
    assert not failed(criticise(found))
    persona, scenario = TASK.persona_from_json(found.persona), TASK.scenario_from_json(found.scenario)
    assert impossible_turn(TASK, persona, scenario, found.turns, "accept") is None
    assert misread_turn(TASK, scenario, found.turns) is None


def test_patience_remembers_so_some_dialogues_are_dropped() -> None:
    """Who left because of the third repetition would not have left after the second."""
    ask = (Act("ask", slot="theme"),)
    made = criticise(played([ask] * 10))
    assert made.outcome["ended_by"] == "leave"
    assert revise(TASK, made) == made and made.critique.verdict == "dropped"


def test_other_faults_are_not_repaired() -> None:
    made = criticise(episode(CASES["tells four things at once"][1], "accept", True))
    assert revise(TASK, made) is made
    kept = criticise(played([(Act("ask", slot="theme"),), (best(0),)]))
    assert revise(TASK, kept) is kept


def test_the_kernel_tells_what_could_not_have_happened() -> None:
    made = played([(Act("ask", slot="theme"),), (best(0),)])
    persona, scenario = TASK.persona_from_json(made.persona), TASK.scenario_from_json(made.scenario)

    def trouble(turns: Sequence[Turn], ended_by: str = "accept") -> str:
        return impossible_turn(TASK, persona, scenario, turns, ended_by) or ""

    assert trouble(made.turns) == ""
    assert "take turns" in trouble(made.turns[:-1])
    assert "turn limit" in trouble(made.turns[:-2], "cap")
    assert "exchange 2" in trouble(made.turns, "leave")
    lie = replace(made.turns[2], acts=(Act("answer", "theme", "food" if persona.theme != "food" else "art"),))
    assert "exchange 1" in trouble((*made.turns[:2], lie, *made.turns[3:]))
    assert "12" in trouble(made.turns[:1] + made.turns[1:3] * 13)
