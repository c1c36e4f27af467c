"""Personas, scenarios and agent turns at random, for property tests; hypothesis shrinks what fails."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from dialog_envs.core.dialogue import Act
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.instruction.acts import KINDS
from dialog_envs.tasks.instruction.content import concepts
from dialog_envs.tasks.instruction.persona import MANNERS, STYLE, InstructionPersona, knowledge
from dialog_envs.tasks.instruction.scenario import InstructionScenario, sample_scenario

OTHERS = (
    Act("confirm"), Act("encourage"), Act("recap"), Act("greet"), Act("acknowledge"), Act("inform"), Act("refuse"),
    Act("unknown"), Act("lengthy", value="long"), Act("lengthy", value="very_long"),
    Act("ask", "background"), Act("ask", "style"), Act("ask", "open"),
)  # fmt: skip


@cache
def known(family):
    return tuple(knowledge(family))


@st.composite
def personas(draw, families=tuple(MANNERS)):
    """Anybody in the support."""
    family = draw(st.sampled_from(families))
    background = draw(st.sampled_from(tuple(STYLE)))
    style = draw(st.sampled_from(tuple(STYLE[background])))
    return InstructionPersona(family, background, style, draw(st.sampled_from(known(family))))


@st.composite
def scenarios(draw) -> InstructionScenario:
    """Scenarios by their seed."""
    return sample_scenario(stream(draw(st.integers(0, 500)), "scenario"))


def smallest() -> InstructionScenario:
    """The concept with the fewest ideas."""
    return InstructionScenario(min(concepts(), key=lambda entry: len(entry.ideas)).id)


@st.composite
def agent_turns(draw, scenario):
    """Any acts in any order, few ideas, so that things are said again."""
    item = st.sampled_from((*scenario.items[:3], *scenario.items, "no-such-idea"))
    about = st.one_of(
        st.builds(Act, st.just("explain"), value=st.sampled_from(KINDS), item=item),
        st.builds(Act, st.sampled_from(("quiz", "correct")), item=item),
        st.builds(Act, st.just("ask"), st.just("idea"), item=item),
    )
    close = st.sampled_from((False,) * 12 + (True,))
    acts = draw(
        st.one_of(
            about.map(lambda act: [act]),
            st.lists(st.one_of(about, st.sampled_from(OTHERS)), max_size=3),
            st.sampled_from(OTHERS).map(lambda act: [act]),
        )
    )
    return (*acts, Act("close")) if draw(close) else tuple(acts)


@st.composite
def cases(draw, families=tuple(MANNERS), turns=8):
    """(persona, scenario, agent turns, seed of the user's coins)."""
    scenario = draw(scenarios())
    talk = draw(st.lists(agent_turns(scenario), min_size=1, max_size=turns))
    return draw(personas(families)), scenario, talk, draw(st.integers(0, 1000))
