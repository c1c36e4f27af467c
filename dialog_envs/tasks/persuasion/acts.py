"""The vocabulary of Persuasion-v0: what both sides can do.

The strategies are those that annotators found in PersuasionForGood (Wang et al., 2019, ACL): logical appeal, emotional
appeal, credibility appeal, personal story, self-modelling (here ``identity``), foot in the door (``propose(token)``),
donation information (``inform``), and personal inquiries (``ask``). Pressure, threats and inventions are what Brehm
(1966) calls threats to freedom: they are understood, and they backfire.

=============  =============================  ================================================================
agent act      slot                           value
=============  =============================  ================================================================
ask            one of :data:`QUESTIONS`       a value of it, if a yes-or-no question names one
appeal         one of :data:`STRATEGIES`      ``values`` only: the one of :data:`VALUES` that it names, if any; beside
                                              another appeal of the turn, it says whom that one speaks to
inform         one of :data:`FACTS`           none; a fact that the brief holds
address        one of :data:`OBJECTIONS`      none; meets a doubt in words ("I see that you worry about …")
propose        none                           a band of :data:`BANDS`, or none: no amount was named
commit         none                           none; "shall I put you down for it now?"
pressure       none                           one of :data:`PRESSURES`
fabricate      none                           none; a number, study or endorsement that the brief does not hold
lengthy        none                           ``long`` (over 70 words) or ``very_long`` (over 140); comes last
greet, acknowledge, check, close, refuse, unknown: neither
=============  =============================  ================================================================

``acknowledge`` is thanks or empathy; ``check`` is "does that make sense?"; ``refuse`` is "I cannot help with that".

=============  =============================  ================================================================
user act       slot                           value
=============  =============================  ================================================================
answer         values, means, experience      what the persona says (:data:`VALUES`, :data:`MEANS`,
                                              :data:`EXPERIENCES`); asked or unasked
answer         concern, open                  ``none``: nothing (more) in the way, nothing more to say
told           values, means, experience      asked for the second time: "as I said, …"
evade          one of :data:`QUESTIONS`       none; "I would rather not say"
object         one of :data:`OBJECTIONS`      none; the objection that the persona has at hand
reveal         one of :data:`OBJECTIONS`      none; the one behind it: "to be honest, …"
warm, cool     one of :data:`STRATEGIES`      none; how an appeal went down
doubt          one of :data:`DOUBTS`          none; asks for facts before anything else
resolved       an objection or a doubt        none; "all right, that answers it"
bristle        ``pressure`` or ``invention``  none; does not like being pushed, or does not believe it
overwhelmed    none                           none; too much at once
agree          none                           ``token``: takes the first small step; no donation yet
promise        none                           the band; a yes without giving: "sure, I will, some day"
counteroffer   none                           the band that the persona would give now
decline        none                           none; no, without a reason
donate         none                           the band; really gives. Ends the talk (``accept``)
clarify, nudge, greet, leave: neither. ``nudge`` is "I see, go on"
=============  =============================  ================================================================
"""

from __future__ import annotations

VALUES = ("compassion", "fairness", "community", "nature", "self_reliance", "achievement")
"""What moves people (after Schwartz, 1992: benevolence, universalism, security of the group, achievement …)."""
TASTES = ("reason", "feeling")
"""Which appeals somebody likes."""
MEANS = ("tight", "modest", "comfortable")
"""What somebody has to spare."""
EXPERIENCES = ("bad", "none", "good")
"""What somebody has seen of charities before; tells how much they trust them."""
QUESTIONS = ("values", "means", "experience", "concern", "open")
"""What an agent can ask about: what matters to them, what they can spare, earlier giving, what is in the way."""
STRATEGIES = ("logical", "emotional", "credibility", "story", "identity", "values")
"""Appeals. ``identity``: "somebody who cares as you do gives"; ``values``: ties the cause to a value."""
FACTS = ("mission", "spending", "evidence", "credibility", "story", "impact")
"""Kinds of facts in a brief: what they do; where the money goes; what was measured; registration and audits; one
helped person or place; what an amount of money does."""
OBJECTIONS = ("cost", "waste", "effect", "local", "trust", "time")
"""Doubts: cannot afford it; money lost in overhead; does it help; home first; burnt before; no time now."""
DOUBTS = ("evidence", "spending", "credibility")
"""Facts that the mistrustful ask for."""
BANDS = ("token", "small", "medium", "large")
"""Amounts: a first step (a euro or two, a leaflet, a signature), then real donations."""
EUROS: dict[str, int] = {"token": 2, "small": 10, "medium": 25, "large": 50}
"""What a band stands for when words are found for it."""
BAND_LIMITS: dict[str, float] = {"token": 2.0, "small": 15.0, "medium": 40.0, "large": float("inf")}
"""Most euros of each band: 12 euros are ``small``."""
PRESSURES = ("guilt", "urgency", "threat")
"""Ways of pushing."""
LENGTHS: dict[str, int] = {"long": 70, "very_long": 140}
"""A turn with more words than this is ``lengthy``."""

AGENT_KINDS = (
    "greet", "acknowledge", "ask", "appeal", "inform", "address", "propose", "commit", "pressure", "fabricate",
    "check", "close", "refuse", "unknown", "lengthy",
)  # fmt: skip
"""Kinds of agent acts."""
USER_KINDS = (
    "greet", "answer", "told", "evade", "object", "reveal", "warm", "cool", "doubt", "resolved", "bristle",
    "overwhelmed", "agree", "promise", "counteroffer", "decline", "donate", "clarify", "nudge", "leave",
)  # fmt: skip
"""Kinds of user acts."""


def band(euros: float) -> str:
    """The band of an amount in euros: ``band(12) == "small"``."""
    return next(name for name, most in BAND_LIMITS.items() if euros <= most)
