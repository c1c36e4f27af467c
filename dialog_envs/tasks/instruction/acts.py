"""The vocabulary of Instruction-v0: what a teacher and a student do in a turn.

An act is ``Act(kind, slot, value, item)``; ``item`` is always the id of an idea of the scenario's concept.

Agent acts
    ``ask(slot=background | style)``: who the student is; which kind of explanation suits them.
    ``ask(slot=open)``: "what is unclear?", "what do you know about it?", no idea named.
    ``ask(slot=idea, item)``: "do you know what … is?", to be answered by the student's own judgement.
    ``quiz(item)``: a question that tests understanding.
    ``explain(item, value=KIND)``: explains an idea in one of :data:`KINDS`.
    ``correct(item)``: names the common mistake about an idea and says why it is wrong.
    ``confirm``: "does that make sense?", no idea named.
    ``encourage``: praise, "you are doing well", "you do know this".
    ``recap``: sums up two ideas or more.
    ``close``: wraps the lesson up ("that is all, goodbye").
    ``lengthy(value=long | very_long)``: added to a turn of more than 70 (140) words.
    ``greet``, ``acknowledge`` ("I see", "good"), ``inform`` (other content), ``refuse``, ``unknown`` (cannot be read).

User acts
    ``answer(slot=background | style, value)``; ``evade(slot=background | style | open)``: "hard to say".
    ``claim(item, value=known | unknown | unsure)``: own judgement of an idea, asked for or not ("I know that already"
    when it is explained); ``claim(value=known)`` without an item: "I think I know all of it".
    ``show(item, value=right | gap | misconception)``: the answer to a quiz: right, "no idea", or the mistaken belief.
    ``counter(item)``: answers a quiz with a question instead ("well, what would you say?").
    ``follow(item)``: says that the explanation was understood (not always true).
    ``puzzled(item)``: did not get it, does not say why. ``puzzled(slot=basis, item)``: ``item`` is the earlier idea
    that is missing. ``puzzled(slot=technical | childish | long, item)``: ``item`` is what was explained.
    ``object(item)``: "but I thought that BELIEF" (the idea's first misconception).
    ``insight(item)``: "oh, so it is not …", after a correction.
    ``tired``: attention is running out. ``clarify``: "what do you mean?". ``nudge``: "go on". ``greet``, ``thanks``.
    ``content``: satisfied, ends the lesson. ``leave``: bored, or not satisfied when the agent closes.
"""

from __future__ import annotations

KINDS = ("analogy", "plain", "technical", "example")
"""Kinds of explanation; also the values of a persona's style."""
BACKGROUNDS = ("child", "student", "professional")
"""Values of a persona's background. ``professional``: grown-up, from another field."""
STATUSES = ("known", "unknown", "misconceived")
"""What a persona may hold of an idea."""

ASK_SLOTS = ("background", "style", "open", "idea")
CLAIMS = ("known", "unknown", "unsure")
SHOWS = ("right", "gap", "misconception")
PUZZLES = ("basis", "technical", "childish", "long")
LENGTHS = {"long": 70, "very_long": 140}
"""A turn of more words than this has ``lengthy`` of that value."""

AGENT_KINDS = (
    "ask", "quiz", "explain", "correct", "confirm", "encourage", "recap", "close", "lengthy", "greet", "acknowledge",
    "inform", "refuse", "unknown",
)  # fmt: skip
USER_KINDS = (
    "answer", "evade", "claim", "show", "counter", "follow", "puzzled", "object", "insight", "tired", "clarify",
    "nudge", "greet", "thanks", "content", "leave",
)  # fmt: skip
