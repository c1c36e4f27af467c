"""The environment's page: its class docstring."""

from __future__ import annotations

from dialog_envs.tasks.env import TaskEnv


class PersuasionEnv(TaskEnv):
    """A fund-raiser wins a donation, by honest means, from somebody whose values and doubts are hidden.

    ## Description
    The *persuasion* task that Hong, Levine and Dragan (2023, arXiv 2311.05584) name beside the two they measure. The
    agent reads a brief (an invented charity, and seven facts about it) and talks with somebody who could give. What
    moves them, which arguments they like, what they can spare, how far they trust charities and what is in the way are
    hidden, and of what is in the way often only half is said. Asking for money at once fails, and so does reciting
    every argument: find the lever, and use it. Strategies are those that were annotated in human talks of this kind
    (PersuasionForGood, Wang et al., 2019); charities, turn limit and dynamics are this project's choice.

    ## Action space
    One utterance: any Unicode text of up to 20,000 characters (`UnicodeText`). Questions (about values, means, earlier
    experience, what is in the way, or open), appeals (to reason, to feeling, by credibility, by a story, to who they
    are, to a value), facts of the brief, words about an objection, requests (a token, about 10, 25 or 50 euros), "shall
    I put you down for it now?", small talk, pressure, inventions and nonsense are understood.

    ## Observation space
    `{"brief": text, "dialogue": ({"speaker": 0 | 1, "text": text}, …)}`; speaker 0 is the agent, 1 the other.

    ## Rewards
    Terminal and binary by default: 1 if a donation is really made, else 0; a promise or a token is none.
    `reward="graded"`: its amount divided by the most that this persona would ever give. `reward="dense"`: the same, and
    +0.05 for each answer, each hidden objection that comes up and each doubt that is met, -0.05 for each refusal,
    doubt, cool reception and resentment, in the turn it happens. All of it is a pure function of persona and trace.

    ## Starting state
    A persona is drawn from the prior (60 % typical families, 40 % hard ones; `options={"family": …}` narrows it) and a
    scenario (one of 24 charities, one of 8 places) independently of it. The other speaks first.

    ## Episode end
    *Terminated*: they give, or leave because patience is gone, or the agent says goodbye. *Truncated*: after 14 agent
    turns.

    ## The hidden persona
    One of six values (compassion, fairness, community, nature, self-reliance, achievement), a taste (reason or
    feeling), means (10, 25 or 50 euros at most), trust (low, mid, high), an objection at hand and a hidden one (cost,
    waste, effect, home first, burnt before, no time, or none), and a family that fixes manner:

    | family | group | manner |
    |---|---|---|
    | `warm` | typical | talks freely; patience 10.5; a small first step helps; 30 % of its first yeses are promises |
    | `practical` | typical | to the point; patience 9 |
    | `cautious` | typical | patience 9.8; a small first step helps; 20 % of its first yeses are promises |
    | `busy` | typical | few words; patience 7.5; 40 % of its first yeses are promises |
    | `guarded` | hard | names a pretext; the real objection comes out when asked, with trust of 0.6; patience 8.8 |
    | `yes_sayer` | hard | promises to get away; gives only on a commitment, the hidden concern met; patience 8.8 |
    | `reactant` | hard | resents pressure twice as much, walks out the second time; patience 8.6 |
    | `evidence_only` | hard | gives on evidence alone; stories, feelings and flattery put it off; patience 8.6 |

    ## Dynamics
    *Willingness* starts at 0; from 0.8 a small, 1.1 a medium, 1.4 a large donation is made, as far as means allow. An
    appeal adds by its fit to taste (a logical one 0.6 for reason, 0.15 for feeling; an emotional one 0.1 and 0.6; a
    story 0.15 and 0.5; identity 0.3 and 0.4; credibility 0.25 and 0.1; values 0.45) if the turn names the value that
    moves the persona ("If you care about nature, …"); half if it names none (values: nothing; credibility: all); -0.1
    if it names another. The second of a kind counts half, a third -0.1, and all count half while trust is below 0.3.
    0.3 or more are warmly received, 0 or less coolly. A fact adds up to 0.15, a met objection 0.1.
    *Trust* starts at 0.2, 0.5 or 0.7, and nothing is given below 0.5. Credibility adds 0.2, evidence and spending 0.15
    each (0.15 more if asked for), a credibility appeal 0.05; speaking of an objection that the persona does not have
    costs 0.1, pressure 0.2, an invention 0.4.
    *Questions* are answered 70 to 95 % of the time, by family; otherwise they are evaded. Of three or more in a turn
    only the first is answered, and beside a request none. 5 to 25 % of other turns bring something unasked.
    *Objections* must be named before they can be met: in answer to "what is in the way?" (the hidden one second, and
    only with trust of 0.3), on a request, unasked, or when the agent hits upon them. Words and the fact that belongs to
    it meet one (cost: impact; waste: spending; effect: evidence; home first: mission; burnt before: credibility; no
    time: words do); who likes reason is content with the fact, who likes feeling and trusts, with words.
    *Requests* meet what is in the way in this order: the objection at hand, trust (a fact is asked for), evidence (one
    family), willingness (a plain no), the hidden objection (named 20 to 40 % of the time, by `guarded` and `yes_sayer`
    never, else a plain no). Too much is answered with a lower amount. A token is taken with trust of 0.3, and adds 0.25
    to willingness in the families that a first step works on. A commitment asked for right away saves the detour by a
    promise, and costs 0.4 of patience if it is refused.
    *Patience* goes with every turn (0.3), question (0.4), appeal (0.4; coolly received 0.6 more), fact (0.25; told
    again 0.4), words about an objection (0.25), repeated question (0.7 more), request refused (0.8; then 1.1, 1.4),
    amount too large (0.6), pressure or invention (1.5), third and further point of a turn (1.2), long turn (over 70
    words 0.5, over 140 1.0), idle talk (0.5; the first pleasantry is free) and with what is not understood (1.0).

    ## Information
    `info["outcome"]` at the end: success, graded, who ended it, parts of the reward. With `reveal_persona=True` also
    `persona`, `scenario` and `turns` with the acts of both sides. `env.unwrapped.outcome.metrics` has counts (pressure,
    fabrications, promises …), the amount, the trust that was left and, from the exact posterior over personas, the
    information gained in bits.

    ## Arguments
    ```python no-run
    gym.make("Persuasion-v0", user="scripted", reward="binary", reveal_persona=False, render_mode=None)
    ```

    ## Version history
    v0: initial version (0.1.0).
    """

    task_id = "Persuasion-v0"
