"""Personas, scenarios and agent turns at random, for property tests; hypothesis shrinks what fails."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from dialog_envs.core.dialogue import Act
from dialog_envs.core.seeding import stream
from dialog_envs.tasks.instruction.acts import KINDS
from dialog_envs.tasks.instruction.kernel import InstructionKernel
from dialog_envs.tasks.instruction.persona import (
    MANNERS,
    STYLE,
    InstructionPersona,
    InstructionPrior,
    knowledge,
)
from dialog_envs.tasks.instruction.policies import make_policy
from dialog_envs.tasks.instruction.scenario import InstructionScenario, sample_scenario

OTHERS = (
    Act("confirm"), Act("encourage"), Act("recap"), Act("greet"), Act("acknowledge"), Act("inform"), Act("refuse"),
    Act("unknown"), Act("lengthy", value="long"), Act("lengthy", value="very_long"),
    Act("ask", "background"), Act("ask", "style"), Act("ask", "open"),
)  # fmt: skip


KERNEL = InstructionKernel()


def give(policy, seed, family=None, lengthy=0):
    """A lesson at the level of acts: (agent turns, user turns, persona, scenario, (last state, ended_by)).

    Every ``lengthy``-th turn (0: none) is a long one, every second of these a very long one.
    """
    persona = InstructionPrior().sample(stream(seed, "persona"), family)
    scenario = sample_scenario(stream(seed, "scenario"))
    teacher = make_policy(policy)
    teacher.start(scenario.brief, stream(seed, "acts"))
    if hasattr(teacher, "reveal"):
        teacher.reveal(persona, scenario)
    state, rng, talk, heard, ended_by = KERNEL.start(scenario, persona), stream(seed, "coins"), [], [], "cap"
    for turn in range(16):
        acts = teacher.decide()
        if lengthy and turn % lengthy == 1:
            acts = (*acts, Act("lengthy", value="very_long" if turn % (2 * lengthy) == 1 else "long"))
        user_acts, state, end = KERNEL.step(state, acts, rng)
        talk.append(acts)
        heard.append(user_acts)
        if end:
            ended_by = end
            break
        teacher.reader.hear(acts, user_acts)
    return talk, heard, persona, scenario, (state, ended_by)


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
