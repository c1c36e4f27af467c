"""Scripted policies: that good ones are good and bad ones bad, and that everybody can be won."""

import numpy as np
import pytest

from dialog_envs.core.dialogue import Act
from dialog_envs.tasks.persuasion.acts import BANDS, FACTS, OBJECTIONS, STRATEGIES, VALUES
from dialog_envs.tasks.persuasion.policies import POLICIES, Policy, make_policy
from dialog_envs.tasks.persuasion.styles import MIXTURE, STYLES
from tests.tasks.persuasion.persuasion_play import PRIOR, gives, play


def rate(name, family, episodes):
    return float(np.mean([gives(play(make_policy(name), seed, family)[2]) for seed in range(episodes)]))


def test_every_persona_can_be_won():
    """A sample of the support that holds each family, and each pair of objections."""
    personas = list(PRIOR.support())
    seen, lost = set(), []
    for i in np.random.default_rng(0).permutation(len(personas)):
        persona = personas[i]
        key = (persona.family, persona.objection, persona.hidden, persona.trust)
        if key not in seen:
            seen.add(key)
            if not gives(play(make_policy("oracle"), int(i), persona=persona)[2]):
                lost.append(persona)
    assert len(seen) > 800
    assert lost == []


@pytest.mark.parametrize("family", ["typical", "hard"])
def test_the_scale(family):
    random, heuristic, oracle = (rate(name, family, 120) for name in ("random", "heuristic", "oracle"))
    planner = rate("information-gain", family, 40)
    assert random <= 0.1
    assert 0.45 <= heuristic <= 0.9
    assert planner >= 0.75
    assert oracle >= 0.98


def test_the_mixture_is_worse_than_the_heuristic_and_better_than_random():
    assert sum(MIXTURE.values()) == pytest.approx(1.0)
    assert set(MIXTURE) == {*STYLES, "random"}
    rates = {name: rate(name, "typical", 60) for name in MIXTURE}
    mixed = sum(MIXTURE[name] * rates[name] for name in MIXTURE)
    assert 0.2 <= mixed <= 0.5
    assert max(rates.values()) < rate("heuristic", "typical", 60)
    assert set(POLICIES) >= {*STYLES, "random", "heuristic", "information-gain", "oracle"}


class Reciting(Policy):
    """The same list of turns for everybody."""

    def __init__(self, *turns):
        self.turns = turns

    def decide(self):
        return self.turns[min(len(self.reader.exchanges), len(self.turns) - 1)]


ASK = (Act("propose", value="small"),)
EVERY_APPEAL = [(Act("appeal", slot),) for slot in STRATEGIES] + [ASK]
EVERY_VALUE = [(Act("appeal", "values", value),) for value in VALUES] + [ASK]
EVERY_FACT = [(Act("inform", fact),) for fact in FACTS] + [ASK]
EVERY_DOUBT = [(Act("address", slot),) for slot in OBJECTIONS] + [ASK]
EVERYTHING = [(*(turn[0] for turn in [*EVERY_APPEAL, *EVERY_FACT, *EVERY_DOUBT]), Act("commit"))]


@pytest.mark.parametrize(
    "turns",
    [[ASK], [(Act("propose", value=band),) for band in BANDS], [(*ASK, Act("commit"))], EVERY_APPEAL, EVERY_VALUE,
     EVERY_FACT, EVERY_DOUBT, EVERYTHING],
    ids=["ask", "haggle", "commit", "appeals", "values", "facts", "doubts", "everything at once"],
)  # fmt: skip
def test_no_list_of_turns_wins_everybody(turns):
    won = [gives(play(Reciting(*turns), seed)[2]) for seed in range(100)]
    assert np.mean(won) <= 0.1
