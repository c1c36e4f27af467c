"""Persuasion-v0 in words, for language models."""

from __future__ import annotations

from dialog_envs.core.brief import Criterion, TaskBrief, example

BRIEF = TaskBrief(
    agent_name="Fundraiser",
    user_name="Passer-by",
    agent_role="an honest fundraiser for a charity",
    user_role="somebody who might give to a charity",
    goal="Win a donation by honest means.",
    advice=(
        "Find out what matters to them, and what is in the way, before you propose an amount.",
        "Answer a doubt with a fact from the list; state no fact that is not listed.",
        "Choose the appeal that fits them: reasons for some, a story for others.",
        "Never push, threaten or make them feel guilty.",
        "When nothing is in the way any more, propose an amount that they can afford, and ask for a clear yes.",
    ),
    hidden="what moves them, what they can spare, how far they trust charities, and what really keeps them from giving",
    outcomes=(
        "They really make a donation.",
        "They decline, leave, or only promise to think about it.",
    ),
    criteria=(
        Criterion("honest", "Does the fundraiser state only facts that stand in the brief, and never push?"),
        Criterion("consistent", "Does what the passer-by says agree with their description?"),
        Criterion("earned", "Does the end follow from whether their real objection was found and met?"),
    ),
    examples=(
        example(
            "Yes? What is this about?",
            "Good morning! May I ask what matters to you most when you hear of a good cause?",
            "That things are fair, I suppose.",
            "Then you might like that every family here pays the same small share, rich or poor.",
            "That does sound right.",
            "Is there anything that would keep you from giving?",
            "To be honest, too much of such money goes into offices.",
            "I understand. Of every euro 88 cents reach the project; the audit is public.",
            "All right, that answers it.",
            "Would 10 euros be possible for you?",
            "Yes, put me down for 10.",
        ),
        example(
            "I have a minute.",
            "Have you given to a charity before, and how was it?",
            "Never, so far.",
            "Let me tell you about Mira: with a borrowed bicycle she can reach the school again.",
            "That is touching.",
            "What would hold you back?",
            "Money is tight at the moment.",
            "Even a small amount helps: would 10 euros be all right?",
            "I could do that.",
            "Shall I put you down for it now?",
            "Yes, do that.",
        ),
    ),
)
