"""Instruction-v0 in words, for language models."""

from __future__ import annotations

from dialog_envs.core.brief import Criterion, TaskBrief, example

BRIEF = TaskBrief(
    agent_name="Teacher",
    user_name="Student",
    agent_role="a patient teacher",
    user_role="a student in a lesson",
    goal="Teach the concept, so that the student understands every idea on the list and is content.",
    advice=(
        "In each turn do one thing: ask who the student is, check one idea with a question, explain one idea, or "
        "correct one mistake.",
        "Check what the student knows before you explain it: people claim more, or less, than they know.",
        "Explain an idea only when those it rests on are understood, and at a level that suits the student.",
        "Meet a mistaken belief head-on: say that it is wrong, and why.",
        "Keep turns short, and end the lesson when every idea is understood.",
    ),
    hidden="which ideas the student knows, does not know or has wrong, the student's background, and which kind of "
    "explanation suits them",
    outcomes=(
        "The student understands every idea and ends the lesson content.",
        "The student leaves bored or lost, or is content without having understood everything.",
    ),
    criteria=(
        Criterion("correct", "Is everything that the teacher says true?"),
        Criterion("consistent", "Does what the student shows agree with the student's description?"),
        Criterion("checked", "Does the teacher find out what the student knows rather than lecture?"),
    ),
    examples=(
        example(
            "Hello! I'm supposed to learn why ships float.",
            "Which weighs more, a litre of water or a litre of oil?",
            "Oil, because it's thicker.",
            "Actually thick is not the same as heavy: a litre of oil weighs less, which is why it floats on water.",
            "Oh, so being thick has nothing to do with it.",
            "Think of a suitcase: the more you pack into the same case, the denser it gets. That is density.",
            "Ah, I see.",
            "So would a stone the size of a loaf be denser than the loaf?",
            "Yes, because more is packed into the same space.",
        ),
        example(
            "Hi. We could start, if you like.",
            "Do you like examples from daily life, or exact definitions?",
            "Examples, please.",
            "Do you know what a budget is?",
            "Yes, yes, I know that.",
            "If you earn 100 and rent is 60, what can you decide about?",
            "Hm, no idea, to be honest.",
            "Take 100 in your pocket: 60 goes to rent, so your budget for everything else is 40.",
            "Ah, that makes sense.",
        ),
    ),
)
