"""Words that decide what a clause of a fundraiser does, beside the phrases of ``grammar/agent_cues.toml``."""

from __future__ import annotations

ASKS = ("experience", "concern", "values", "means", "open")
SLANG = {
    "donat": "donate", "donatin": "donating", "wuld": "would", "culd": "could", "sumthing": "something",
    "b4": "before",
    "charitys": "charities", "mony": "money", "monies": "money", "giv": "give", "euroes": "euros", "tho": "though",
    "pplz": "people", "hlp": "help", "becuz": "because", "wich": "which", "hav": "have",
    "givin": "giving",
    "carin": "caring", "wanna": "want", "u": "you",
}  # fmt: skip
SINGLE = frozenset(
    """selfish heartless ashamed greedy stingy callous hurry asap deadline blacklist karma cursed regret
    imagine heartbreaking heartbroken heartwarming tears smile smiles smiling lonely loneliness hungry
    starving starve suffering desperate helpless tragic joy crying cry orphan hunger thirsty freezing scared
    terrified misery despair trustworthy transparent transparency reputable accountable accountability
    reliable credentials logical logically rational rationally efficient investment arithmetic multiply adds
    therefore effective sensible story stories""".split()
)
"""Words that are enough, one of them, for a strategy or a way of pushing."""
APPEALS = ("story", "identity", "emotional", "credibility", "logical")
"""Strategies by phrases; where two are as strong, the one that stands first here counts."""
STRONG_VALUES = frozenset(
    """compassion kindness empathy mercy fairness justice injustice equality unfair equity fair community
    solidarity togetherness neighbours neighbors nature planet environment wildlife biodiversity
    independence independent autonomy achievement achievements success ambition excellence progress equal
    humanity caring sustainability empowerment dignity belonging""".split()
)
RHETORICAL = frozenset("dont isnt wouldnt arent doesnt".split())
BUYS = frozenset(
    """buy buys pay pays feed feeds provide provides cover covers fund funds finance finances vaccinate
    vaccinates save saves keep keeps protect protects send sends give gives put puts fill fills train trains
    get gets equals means""".split()
)
PRAISE = frozenset(
    """great wonderful lovely fantastic awesome amazing excellent brilliant perfect super nice cool right sure
    okay ok alright absolutely certainly indeed agreed understandable noted thank understood""".split()
)
"""Words that are praise or assent only where a clause begins with them and goes on after a pause."""
BEFORE_PRAISE = frozenset(
    "oh ah well that thats is its yes and so but completely totally perfectly really very".split()
)
AFTER_PRAISE = frozenset(", . ! ? ; : — – - so and but then thanks thank i we".split())
NEGATIONS = frozenset("no not dont without havent neither never isnt".split())
PICTURING = frozenset(("imagine", "picture"))
DOUBTED = frozenset(("appeal", "address", "pressure", "acknowledge", "commit", "check", "ask"))
"""Kinds of acts that the other words of a clause may speak against."""
TIME_UNITS = frozenset("minute minutes seconds second hours hour moment days weeks times time".split())
COUNTED = frozenset("things reasons ways words questions points steps of last".split())
OFFERED = frozenset(("#2", "#10", "#50", "#1", "#3", "#5"))
"""Numbers that are too common to tell a fact by."""
BEFORE_AMOUNTS = frozenset("donate give spare about of contribute to at for with".split())
"""Words before which a number without a currency is an amount."""
GREETING_ENDS = 2
"""Tokens of a turn within which a greeting begins."""
