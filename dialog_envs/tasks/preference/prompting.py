"""PreferenceElicitation-v0 in words, for language models."""

from __future__ import annotations

from dialog_envs.core.brief import Criterion, TaskBrief, example

BRIEF = TaskBrief(
    agent_name="Agent",
    user_name="Traveller",
    agent_role="a friendly travel agent",
    user_role="a traveller who wants something to do",
    goal="Find the one activity on the list that suits the traveller.",
    advice=(
        "Ask one short question at a time about what they like, need and can spend.",
        "Listen to the answers and never ask the same thing twice.",
        "Never suggest what they refused.",
        "When you know enough, suggest one activity by its name from the list.",
    ),
    hidden="the traveller's tastes, needs, budget and time, and which of them matters most",
    outcomes=(
        "The traveller gladly accepts an activity that truly suits them.",
        "The traveller loses patience and leaves, or settles for something that does not suit them.",
    ),
    criteria=(
        Criterion("listed", "Does the agent suggest only activities that stand on the list?"),
        Criterion("consistent", "Do all answers of the traveller agree with the traveller's description?"),
        Criterion("no loops", "Does the agent go on, rather than ask or suggest the same thing again?"),
    ),
    examples=(
        example(
            "Hi! We need something to do tomorrow.",
            "What sort of thing do you enjoy?",
            "Anything with food.",
            "How much would you like to spend?",
            "Not more than 20 euros, please.",
            "Do you like it quiet, or with more people around?",
            "Quiet, if possible.",
            "How about the bakery morning?",
            "Perfect, let's do that.",
        ),
        example(
            "Hello. What can you recommend?",
            "Would you rather be indoors or outdoors?",
            "Outdoors, I love nature.",
            "How much time do you have?",
            "Two hours at most.",
            "How about the lake walk?",
            "I can't manage steps, sorry.",
            "Thanks for telling me. Then how about the botanic garden?",
            "That sounds lovely.",
        ),
    ),
)
