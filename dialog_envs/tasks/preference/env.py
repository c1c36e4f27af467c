"""The environment's page: its class docstring."""

from __future__ import annotations

from dialog_envs.tasks.env import TaskEnv


class PreferenceElicitationEnv(TaskEnv):
    """A travel agent finds out what a traveller likes, and suggests the one activity that suits them.

    ## Description
    The *preference elicitation* task of Hong, Levine and Dragan (2023, arXiv 2311.05584). The agent reads a brief (a
    place, an occasion, 12 to 16 activities with their facts) and talks with a traveller whose tastes, limits and
    manner are hidden. The traveller opens with one sentence. Usually one activity suits them, sometimes two or three;
    finding it takes a few good questions, and patience is short. Topics, catalogue, turn limit and dynamics are this
    project's choice: the paper's own are not published.

    ## Action space
    One utterance: any Unicode text of up to 20,000 characters (`UnicodeText`). Questions (one or several, about theme,
    setting, pace, crowd, budget, time, needs, or open), suggestions (by name, part of a name, with a typo, "the second
    one"), facts, small talk and nonsense are understood, or answered with "sorry, what do you mean?".

    ## Observation space
    `{"brief": text, "dialogue": ({"speaker": 0 | 1, "text": text}, …)}`; speaker 0 is the agent, 1 the traveller.

    ## Rewards
    Terminal and binary by default: 1 if the traveller accepts an activity that meets their constraints and is among
    the best on offer for them (utility within 0.04 of the best), else 0. `reward="graded"`: utility of what was
    accepted, divided by the best. `reward="dense"`: the same, and +0.05 for each answer a question brought and -0.05
    for each refused suggestion, in the turn it happens. All of it is a pure function of persona and trace.

    ## Starting state
    A persona is drawn from the prior (60 % typical families, 40 % hard ones; `options={"family": …}` narrows it) and a
    scenario independently of it.

    ## Episode end
    *Terminated*: the traveller accepts, or leaves because patience is gone, or the agent says goodbye. *Truncated*:
    after 12 agent turns.

    ## The hidden persona
    Theme, setting, pace, crowd (each with a weight; one matters most), budget, time, a need (step-free, no heights, no
    water, vegetarian), and a family that fixes manner. Typical: `easygoing`, `focused`, `reserved`, `hesitant`. Hard,
    held out from every dataset: `cost_averse` (turns down what is expensive, never says so before), `indecisive`
    (takes nothing that stands alone), `terse`, `impatient`, `changeable` (another theme from the third turn on),
    `contradictory` (says the opposite of what they accept about one thing).

    ## Dynamics
    Asked, the traveller mostly answers (95 % of the time at best, `terse` 60 %); unasked, they give little away.
    Patience (2.4 to 4, by family) goes with every question (0.3), more with several in a turn (0.75 for each further
    one; of three or more only the first is answered), with what was answered already (1.0), with a refused suggestion
    (2.0; 1.2 for each further one in the turn; 0.5 more for one that goes against what was said, 1.0 more for one
    that was refused before), with four or more suggestions at once (1.5, none considered), with talk that leads
    nowhere (0.5; the first pleasantry is free) and with what cannot be understood (1.0). A refusal names one thing
    that is wrong (`terse`: half the time): a limit first, else what shows on the surface. Some hesitate until
    something is set beside it or it is suggested again, and some settle for second best when patience runs out.

    ## Information
    `info["outcome"]` at the end: success, graded, who ended it, parts of the reward. With `reveal_persona=True` also
    `persona`, `scenario` and `turns` with the acts of both sides. `env.unwrapped.outcome.metrics` has counts and, from
    the exact posterior over personas, the information gained in bits.

    ## Arguments
    ```python no-run
    gym.make("PreferenceElicitation-v0", user="scripted", reward="binary", reveal_persona=False, render_mode=None)
    ```

    ## Version history
    v0: initial version (0.1.0).
    """

    task_id = "PreferenceElicitation-v0"
