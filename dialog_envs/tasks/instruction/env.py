"""The environment's page: its class docstring."""

from __future__ import annotations

from dialog_envs.tasks.env import TaskEnv


class InstructionEnv(TaskEnv):
    """A teacher finds out what a student knows, believes and can follow, and teaches what is missing.

    ## Description
    The *instruction* task of Hong, Levine and Dragan (2023, arXiv 2311.05584): teach a concept to a student whose
    knowledge is hidden. The agent reads a brief (a concept, and its four to seven ideas with what each rests on, one
    plain explanation and a common mistake) and talks with a student who knows some ideas, lacks others, and is
    mistaken about up to two. Who lectures loses the student on what it knows already, on the wrong level, or over a
    misconception that was never met; who only tests teaches nothing. Concepts, dynamics and numbers are this
    project's choice: the paper's own are not published.

    ## Action space
    One utterance: any Unicode text of up to 20,000 characters (`UnicodeText`). Questions about the student
    (background, preferred style, what is unclear, "do you know …?"), quizzes, explanations (everyday comparison,
    plain, technical, example; the material's or one's own words), corrections of a mistake, "does that make sense?",
    praise, summaries, goodbyes, small talk and nonsense are understood, or answered with "what do you mean?".

    ## Observation space
    `{"brief": text, "dialogue": ({"speaker": 0 | 1, "text": text}, …)}`; speaker 0 is the agent, 1 the student.

    ## Rewards
    Terminal and binary by default: 1 if at the end the student understands every idea, by the kernel's own state, and
    is content (thinks so too, and did not leave), else 0. `reward="graded"`: how many of the ideas missing at first
    are understood at the end. `reward="dense"`: half of that, turn by turn as it is gained, and 0.5 for success at the
    end. All of it is a pure function of persona and trace.

    ## Starting state
    A persona is drawn from the prior (60 % typical families, 40 % hard ones; `options={"family": …}` narrows it) and a
    scenario (one of the concepts) independently of it.

    ## Episode end
    *Terminated*: the student is content and says goodbye (`ended_by` is `accept`; contentment can be wrong), or leaves
    because attention is used up (`leave`), or the agent ends the lesson (`agent`). *Truncated*: after 16 agent turns.

    ## The hidden persona
    For each idea known (40 %), unknown (36 %) or misconceived (24 %; at most two), of the first four at least two not
    known, and none known whose basis is not; background (child, student, professional); the style that works best
    (analogy, plain, technical, example; no child likes technical terms); and a family:

    | family | group | what it does | attention |
    |---|---|---|---|
    | `curious` | typical | says freely what is unclear, and why | 62 |
    | `quiet` | typical | says little; nods at a quarter of what it did not get | 64 |
    | `chatty` | typical | talks freely, nods now and then | 56 |
    | `busy` | typical | has little attention | 48 |
    | `overclaims` | hard | thinks it knows everything, and does not listen, until a quiz shows a gap | 60 |
    | `underclaims` | hard | does not trust its own knowledge until quizzed right or encouraged | 60 |
    | `stubborn` | hard | keeps a mistake until it was voiced and then corrected; nods at everything else | 58 |
    | `restless` | hard | long turns teach it nothing and cost three times as much | 46 |
    | `deflects` | hard | answers the first quiz of an idea with a question, "do you know …?" with "not sure" | 60 |

    The hard ones are held out from every dataset.

    ## Dynamics
    *Explaining* an idea in the preferred style works at once; in another suitable style the second one that differs
    works. It does not work while something that it rests on is not understood, while a misconception about it lives
    (then the student objects: "but I thought …"), when the level is wrong (technical for a child; comparisons for a
    professional, unless preferred), when the student thinks it knows the idea, or in a turn of more than 140 words.
    *Correcting* removes a misconception; the idea has still to be explained, in the same turn if one likes. *A quiz*
    shows the truth to both. *Questions* are answered by the student's own belief (40 % to 5 % of the time: "hard to
    say"). Only one explanation, one correction and one quiz are heard in a turn, and two questions. Learning is
    deterministic; chance decides only what the student lets show. A student that thinks it knows every idea ends the
    lesson, from its third turn on, at the next turn that is no quiz, correction or question about it.

    Attention goes with questions (2 points, 3 for each further one, 5 more if answered before), quizzes (5; 8 if
    nothing has changed since the last one), explanations (4; 7 more for what is known already, 5 for the wrong level,
    4 without the basis, 1 for a style that is not the preferred one, 6 for the same again), corrections (4; 8 more
    where there is no mistake), anything beyond one of a kind (8), more than 70 words (5) or 140 (12), small talk (3 to
    5), and what cannot be understood (10). At 15 the student says that it is tired. Who has run out of attention, but
    thinks by then that it knows every idea, ends content.

    ## Information
    `info["outcome"]` at the end: success, graded, who ended it, parts of the reward (`understood`, `content`, …). With
    `reveal_persona=True` also `persona`, `scenario` and `turns` with the acts of both sides.
    `env.unwrapped.outcome.metrics` has counts, `falsely_content`, and, from the exact posterior over personas, the
    information gained in bits.

    ## Arguments
    ```python no-run
    gym.make("Instruction-v0", user="scripted", reward="binary", reveal_persona=False, render_mode=None)
    ```

    ## Version history
    v0: initial version (0.1).
    """

    task_id = "Instruction-v0"
