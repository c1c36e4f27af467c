"""Sets of words by which sentences of teachers are told apart; what each is for stands with the rule that uses it."""

from __future__ import annotations

DEFINING = frozenset(
    """is are means mean tells tell says describes measures shows happens occurs refers stands works moves
        goes lets""".split()
)
SCENE = frozenset(
    """you suppose imagine say two three four five six ten a an my your picture here there one somebody
        someone if anna ben assume take consider lets he she""".split()
)
"""First words of a sentence that may set the scene of a question."""
EXPLAINS = frozenset("because therefore thats always any means example so".split())
STYLES = (
    frozenset(("example", "examples", "case", "cases")),
    frozenset(
        (
            "formula",
            "formulas",
            "equation",
            "equations",
            "maths",
            "math",
            "technical",
            "jargon",
            "theory",
            "terms",
            "definitions",
        )
    ),
    frozenset(
        (
            "picture",
            "pictures",
            "story",
            "stories",
            "comparison",
            "comparisons",
            "analogy",
            "analogies",
            "image",
            "images",
            "metaphor",
            "metaphors",
        )
    ),
    frozenset(("simple", "plain", "everyday", "simply", "simpler")),
)
"""Words of kinds of explanation."""
WISHES = frozenset(
    """prefer prefers rather like want help helps helpful explain best learn suit suits easier easiest
        shall should""".split()
)
TRADES = frozenset(
    """student students job school university college kid child grownup adult programmer engineer teacher
        doctor nurse lawyer profession professional work working studying study studies grade year age old
        living background yourself pupil scientist beginner retired trade occupation training field""".split()
)
ON_QUESTIONS = frozenset(("encourage", "quiz", "close", "ack", "confirm", "refuse"))
"""Cues of sentences that leave a question before them open: "Take your time." """
FILLERS = frozenset(
    "ok okay so and but hm hmm um uh well right oh ah yeah yes no nope hi hello hey sorry".split()
)
"""Words with which a student's turn begins, whatever it does."""
CALM = frozenset(
    """get got understand know clear sense thanks thank explain hi hello hey please sure confused follow
        learn teach lost tired bye""".split()
)
"""Words that a student hardly uses who states a belief."""
UNWILLING = frozenset(
    "cant cannot wont unable refuse refusing refrain decline declining shant unwilling".split()
) | frozenset(
    f"{a} {b}"
    for a, b in (
        pair.split()
        for pair in """can not,will not,not able,not willing,not going,not gonna,not allowed,not permitted,not prepared,
        not supposed,dont want,not want,rather not,prefer not,would not,shall not,should not,must not,not comfortable,
        no longer,not inclined""".split(",")
    )
)
"""Words of not being able or willing, in the mouth of a teacher."""
FIRST = frozenset(
    """i we im id we're were am are is sorry afraid but must simply just really also and , . would ill be
        have to""".split()
)
OWN = frozenset("i we im ive ill sorry afraid unable me my".split())
NOT_HERE = frozenset(
    """no not cant cannot wont never dont unable decline refuse outside beyond elsewhere else another
        somebody someone nah nope quit stop""".split()
)
LESSON = frozenset(
    """teach teaching lesson lessons teacher tutor tutoring help helping assist assistance explain
        explaining offer lecture homework instruction""".split()
)
HELPING = frozenset(
    """help assist teach explain answer discuss continue support cover provide comment proceed oblige
        participate tutor instruct lecture do go""".split()
)
SOFT = frozenset(
    """know understand learn learning quickly fast improve improving getting figured remembered believe
        trust faith confident confidence proud already able capable yourself clever worked keep try trying""".split()
)
SOUND = frozenset(
    """clear sense follow ok okay alright questions far with get got understand understood helps help good
        ready lost fast sound yes right clearer fine""".split()
)
"""Words of short questions that ask whether all is well."""
PRAISE = frozenset(
    """good great well brilliant smart clever excellent amazing fantastic wonderful impressive super
        awesome sharp strong better confident bright nice perfect lovely close best fine right outstanding
        terrific""".split()
)
COURTESY = frozenset(
    "meet have see teach day evening week hear here today welcome luck weekend join joining know".split()
)
YOU = frozenset("you your youre youve yours u ur".split())
CODE = ("print(", "def ", "</", "{", "}", "();", "==", "import ", "SELECT ")
