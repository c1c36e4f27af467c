"""Understanding what a teacher says: free text -> acts, in one linear pass without a model.

The text is cut into sentences (:mod:`sentences`); each is known by its cues (:mod:`cues`) and by the ideas that its
words speak for (:mod:`material`). Neighbouring sentences about one idea are one explanation, whose kind is what most
speaks for (:mod:`levels`). What names no idea ("it", "explain that again") is about the idea talked of last.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ....core.dialogue import AGENT, Act, Turn
from ....tasks.language.tokens import tokenise
from ....tasks.language.words import FOREIGN, WH
from ..acts import KINDS, LENGTHS
from . import denials
from .cues import common_words
from .grammar import load
from .levels import Evidence, weigh
from .material import TAIL, Material, is_content, material
from .sentences import Sentence, cut
from .stems import stem

_UNKNOWN = Act("unknown")
_TOUCH, _ASKED = 1.4, 1.1
"""Least score with which a statement, or a question, is about an idea."""
_DEFINING = frozenset(
    "is are means mean tells tell says describes measures shows happens occurs refers stands works moves goes lets".split()
)
_SCENE = frozenset(
    """you suppose imagine say two three four five six ten a an my your picture here there one somebody someone if
    anna ben assume take consider lets he she""".split()
)
"""First words of a sentence that may set the scene of a question."""
_EXPLAINS = frozenset("because therefore thats always any means example so".split())
_STYLES = (
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
_WISHES = frozenset(
    "prefer prefers rather like want help helps helpful explain best learn suit suits easier easiest shall should".split()
)
_TRADES = frozenset(
    """student students job school university college kid child grownup adult programmer engineer teacher doctor nurse lawyer
    profession professional work working studying study studies grade year age old living background yourself pupil scientist
    beginner retired trade occupation training field""".split()
)
_ON_QUESTIONS = frozenset(("encourage", "quiz", "close", "ack", "confirm", "refuse"))
"""Cues of sentences that leave a question before them open: "Take your time." """
_CALM = frozenset(
    "get got understand know clear sense thanks thank explain hi hello hey please sure confused follow learn teach lost tired bye".split()
)
"""Words that a student hardly uses who states a belief."""
_UNWILLING = frozenset(
    "cant cannot wont unable refuse refusing decline declining shant unwilling".split()
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
_FIRST = frozenset(
    "i we im id we're were am are is sorry afraid but must simply just really also and , . would ill be have to".split()
)
_OWN = frozenset("i we im ive ill sorry afraid unable me my".split())
_NOT_HERE = frozenset(
    "no not cant cannot wont never dont unable decline refuse outside beyond elsewhere else another somebody someone nah nope quit stop".split()
)
_LESSON = frozenset(
    "teach teaching lesson lessons teacher tutor tutoring help helping assist assistance explain explaining offer lecture homework instruction".split()
)
_HELPING = frozenset(
    """help assist teach explain answer discuss continue support cover provide comment proceed oblige participate tutor instruct
    lecture do go""".split()
)
_SOFT = frozenset(
    """know understand learn learning quickly fast improve improving getting figured remembered believe trust faith confident
    confidence proud already able capable yourself clever worked keep try trying""".split()
)
_SOUND = frozenset(
    """clear sense follow ok okay alright questions far with get got understand understood helps help good ready lost fast sound
    yes right clearer fine""".split()
)
"""Words of short questions that ask whether all is well."""
_PRAISE = frozenset(
    """good great well brilliant smart clever excellent amazing fantastic wonderful impressive super awesome sharp strong better
    confident bright nice perfect lovely close best fine right outstanding terrific""".split()
)
_COURTESY = frozenset(
    "meet have see teach day evening week hear here today welcome luck weekend join joining know".split()
)
_YOU = frozenset("you your youre youve yours u ur".split())
_CODE = ("def ", "</", "{", "}", "();", "==", "import ", "SELECT ")


def understand(text: str, scenario: Any, dialogue: Sequence[Any] = ()) -> tuple[Act, ...]:
    """The acts of one agent utterance, in order of appearance, without duplicates; never empty.

    Args:
        text: anything at all.
        scenario: its ``concept`` (an id) is what is taught.
        dialogue: the turns before this one, views or records; "it" refers to what they were about.
    """
    doubt = doubted(scenario.concept, dialogue) if dialogue else -1
    acts, refers = _understand(text, scenario.concept, doubt, doubt)
    if refers and dialogue and doubt < 0:
        idea = focus(scenario.concept, dialogue)
        if idea >= 0:
            return _understand(text, scenario.concept, idea, -1)[0]
    return acts


def doubted(concept: str, dialogue: Sequence[Any]) -> int:
    """Position of the idea about which the user's last turn states what may be a mistaken belief, or -1."""
    last = dialogue[-1]
    speaker, text = (last.speaker, last.text) if isinstance(last, Turn) else (last["speaker"], last["text"])
    return _mistaken(concept, str(text)) if speaker != AGENT else -1


@lru_cache(maxsize=8_192)
def _mistaken(concept: str, text: str) -> int:
    table = material(concept)
    tokens = tokenise(text)[:80]
    roots = {stem(token) for token in tokens if is_content(token)}
    if not roots:
        return -1
    scores, _ = table.scores(tokens)
    covered = [table.covered(i, roots) for i in range(len(table.ids))]
    best = max(range(len(covered)), key=lambda i: 2.0 * covered[i] + 0.3 * scores[i])
    if table.answered(best, roots) > covered[best]:
        return -1
    asserts = scores[best] >= 0.7 and len(tokens) >= 5 and _CALM.isdisjoint(tokens) and tokens[-1] != "?"
    return (
        best
        if covered[best] >= 0.4 or (covered[best] >= 0.15 and _CALM.isdisjoint(tokens)) or asserts
        else -1
    )


@lru_cache(maxsize=16_384)
def _understand(text: str, concept: str, idea: int, doubt: int) -> tuple[tuple[Act, ...], bool]:
    """The acts of a text where ``idea`` (-1: none) was talked of last and the student holds a mistaken belief about
    ``doubt``; and whether they depend on what was talked of."""
    table = material(concept)
    sentences = cut(text, table)
    if _foreign(text, sentences):
        return (_UNKNOWN,), False
    turn = _Turn(table, idea, doubt)
    for i, sentence in enumerate(sentences):
        if sentence.question and _rhetorical(sentences, i):
            sentence.question = False
            sentence.cues.setdefault("rhetoric", 0)
        turn.add(sentence)
    return turn.finish(len(text.split())), turn.refers


@lru_cache(maxsize=1)
def _fillers() -> frozenset[tuple[str, ...]]:
    """The last words of sentences that only make a turn long."""
    return frozenset(tuple(tokenise(text)[-TAIL - 1 : -1]) for text in load("agent")["filler"]["text"])


def _rhetorical(sentences: list[Sentence], i: int) -> bool:
    """Whether the speaker goes on to answer a question: "Why do ships float? They are hollow." """
    now = sentences[i]
    if i + 1 >= len(sentences) or now.known is not None:
        return False
    after = sentences[i + 1]
    if after.question or after.size < 4 or now.cues.keys() & {"background", "style", "confirm"}:
        return False
    if after.known is not None:
        return after.known[1] != "quiz" and now.cues.get("idea", 9) > 3
    if not after.cues.keys().isdisjoint(_ON_QUESTIONS) and max(after.scores, default=0.0) < 2.0:
        return False
    return max(after.scores, default=0.0) > 0.8 or not after.cues.keys().isdisjoint(("analogy", "example"))


def focus(concept: str, dialogue: Sequence[Any]) -> int:
    """Position of the idea that was talked of last, or -1: by the last turns that name one, at most four back."""
    for turn in reversed(dialogue[-4:]):
        if isinstance(turn, Turn):
            found = _talked_of(concept, turn.text, turn.speaker == AGENT)
        else:
            found = _talked_of(concept, str(turn["text"]), turn["speaker"] == AGENT)
        if found >= 0:
            return found
    return -1


@lru_cache(maxsize=8_192)
def _talked_of(concept: str, text: str, agent: bool) -> int:
    """The idea that a turn was about: the last one an agent's acts name, or the one a user's words speak for most."""
    table = material(concept)
    if agent:
        items = [act.item for act in _understand(text, concept, -1, -1)[0] if act.item is not None]
        return table.index[items[-1]] if items else -1
    tokens = tokenise(text)
    scores, hits = table.scores(tokens)
    if not scores:
        return -1
    best = max(range(len(scores)), key=scores.__getitem__)
    return best if scores[best] >= 0.6 or (hits and scores[best] > 0) else -1


class _Turn:
    """One utterance being read."""

    __slots__ = (
        "table",
        "context",
        "doubt",
        "denial",
        "conceded",
        "refers",
        "acts",
        "weak",
        "idea",
        "pending",
        "parts",
        "mode",
        "setup",
        "last_quiz",
    )

    def __init__(self, table: Material, context: int, doubt: int) -> None:
        self.table, self.context, self.doubt = table, context, doubt
        self.refers = False
        self.acts: list[Act | _Explanation] = []
        self.weak: list[str] = []
        self.idea = -1
        self.pending: list[Sentence] = []
        self.mode = ""
        self.denial = 0.0
        self.conceded = False
        self.setup: _Explanation | None = None
        self.last_quiz: Act | None = None

    def add(self, now: Sentence) -> None:
        """Take in one sentence."""
        cues = now.cues
        if tuple(now.tokens[-TAIL - 1 : -1]) in _fillers():
            return
        if now.known is not None and self._quoted(now, *now.known):
            return
        if not now.question and _declines(now):
            self._say(Act("refuse"))
            return
        self._manners(now)
        if not now.tokens:
            return
        if now.question:
            self._question(now)
        else:
            self._statement(now)

    # Sentences of the material.

    def _quoted(self, now: Sentence, idea: int, name: str) -> bool:
        """A sentence of the material, perhaps after a lead-in: it does what it was written for."""
        if name == "belief":
            return False
        lead = now.cues
        for kind in ("greet", "encourage", "ack"):
            if lead.get(kind) == 0 and name != "right":
                self._lead(now, kind)
                break
        item = self.table.ids[idea]
        self.idea = idea
        if name == "quiz":
            if self.mode == "recap":
                self.mode = ""
            self.pending.clear()
            self._say(Act("quiz", item=item))
        elif name == "correction":
            self.pending.clear()
            self._say(Act("correct", item=item))
            self.mode = "correct"
        elif self.mode != "recap" or name in ("analogy", "technical", "example"):
            kind = name if name in KINDS else "plain"
            self.pending.clear()
            evidence = Evidence()
            evidence.points[kind] = 9.0
            self._explained(idea, evidence, exact=kind)
        return True

    def _lead(self, now: Sentence, kind: str) -> None:
        """Manners before a sentence of the material; a nod only where a mark follows it."""
        tokens = now.tokens
        if kind != "ack" or any(token in ".!—" or token == "," for token in tokens[1:3]):
            self._say(Act({"ack": "acknowledge"}.get(kind, kind)))

    # Manners.

    def _manners(self, now: Sentence) -> None:
        """Greetings, nods, praise and farewells; what they leave of the sentence stays in it."""
        cues, tokens = now.cues, now.tokens
        at = {kind: place for kind, place in cues.items() if kind in ("greet", "ack", "encourage", "close")}
        idea, score = self._best(now)
        words = set(tokens)
        if (
            not now.question
            and score < _TOUCH
            and at.get("ack", 9) > 1
            and words & _PRAISE
            and words & _YOU
            and words.isdisjoint(_COURTESY)
            and now.size <= 20
            and not cues.keys() & {"plan", "mistake", "recap"}
        ):
            at.setdefault("encourage", 0)
        if not at:
            return
        content = (score >= _TOUCH + 0.6 and now.size > 7) or (now.question and now.size > 4)
        if "greet" in at and at["greet"] <= 2 and not (now.question and score >= _ASKED and at["greet"] > 0):
            self._say(Act("greet"))
            if not content and not (now.question and self._asking(cues)):
                now.tokens = []
                return
        if "close" in at and not now.question and (not content or at["close"] <= 3) and "example" not in cues:
            if at.get("encourage", -1) > 0 or (words & _PRAISE and words & _YOU and at["close"] > 4):
                self._say(Act("encourage"))
            self._say(Act("close"))
            now.tokens = []
            return
        if "encourage" in at and not (now.question and at["encourage"] > 3) and "mistake" not in cues:
            apart = at["encourage"] <= 1 and any(token in ".!,—–" for token in tokens[1:7])
            if apart or (not content and (now.size <= 12 or words & _YOU)):
                self._say(Act("encourage"))
                if not content:
                    now.tokens = []
                    return
        elif "ack" in at and at["ack"] <= 1 and self._nods(now, at["ack"]):
            if not any(isinstance(act, Act) and act.kind in ("greet", "encourage") for act in self.acts[-1:]):
                self._say(Act("acknowledge"))
            if not content and now.size <= 7 and not now.question:
                now.tokens = []
                return

    def _nods(self, now: Sentence, place: int) -> bool:
        """Whether an acknowledging word stands alone, or before a mark."""
        tokens = now.tokens
        if now.question and now.size <= 3:
            return False
        if tokens[place] in ("so", "well", "now", "hmm", "oh", "ah", "aha") and now.size > 2:
            return False
        for token in tokens[place + 1 : place + 4]:
            if token in ".!,—–" or token in ("lets", "thanks"):
                return not (
                    tokens[place] in ("ok", "okay", "right", "alright", "all")
                    and token == ","
                    and now.question is None
                )
        return len(tokens) - place <= 4 or (
            len(tokens) < 12 and now.size <= 9 and max(now.scores, default=0.0) < _TOUCH and not now.question
        )

    def _asking(self, cues: dict[str, int]) -> bool:
        return any(kind in cues for kind in ("idea", "style", "open", "background", "confirm", "quiz"))

    # Questions.

    def _question(self, now: Sentence) -> None:
        cues, tokens = now.cues, now.tokens
        idea, score = self._best(now)
        named = any(owner == idea for _, owner, _ in now.hits)
        about = named or score >= _ASKED
        if self.mode == "recap":
            self.mode = ""
        if "refuse" in cues and not about:
            self._say(Act("refuse"))
        elif "confirm" in cues and self._only_confirms(now, named, score):
            self._flush()
            self._say(Act("confirm"))
        elif not any(kind == "name" for _, _, kind in now.hits) and score < 3.0 and self._about_student(now):
            return
        elif about and self._self_report(now, named and score >= 2.0):
            self._ask_idea(idea, now)
        elif "open" in cues and (not named or score < 2.0):
            self._say(Act("ask", "open"))
        elif about and now.size <= 3 and named and tokens[0] not in ("why", "how"):
            self._ask_idea(idea, now)
        elif about:
            self._quiz(idea, now)
        elif "rhetoric" in cues:
            return
        elif (self.pending or (self.setup is not None and self.setup.scene)) and now.size > 2:
            self._quiz(self.idea if self.idea >= 0 else idea, now)
        elif score > 0.3 and self.idea < 0 and (now.size > 6 or "quiz" in cues) and "open" not in cues:
            self._quiz(idea)
        else:
            self._vague(now)

    def _only_confirms(self, now: Sentence, named: bool, score: float) -> bool:
        """Whether a question with a word of confirmation asks for nothing else."""
        short = now.size <= 6 and "idea" not in now.cues
        return (not named or score < 1.8 or short) and (now.size <= 9 or score < _TOUCH)

    def _about_student(self, now: Sentence) -> bool:
        """Questions about who the student is and how they like to learn."""
        cues, words = now.cues, set(now.tokens)
        styles = sum(not words.isdisjoint(row) for row in _STYLES)
        wishes = "style" in cues or not words.isdisjoint(_WISHES)
        person = "background" in cues or (len(words & _TRADES) > 0 and ("you" in words or "your" in words))
        if styles >= 2 or (styles and wishes) or ("style" in cues and not person and "open" not in cues):
            if "background" in cues:
                self._say(Act("ask", "background"))
            self._say(Act("ask", "style"))
        elif person:
            self._say(Act("ask", "background"))
        else:
            return False
        return True

    def _self_report(self, now: Sentence, named: bool) -> bool:
        """Whether a question asks what the student thinks of their own knowledge."""
        cues = now.cues
        places = [cues[kind] for kind in ("idea", "confirm") if kind in cues]
        if named and "open" in cues:
            places.append(cues["open"])
        if not places:
            return False
        if cues.get("quiz", 99) < min(places) and (now.tokens[0] in WH or "idea" not in cues):
            return "confirm" in cues or "open" in cues
        return min(places) <= max(8, len(now.tokens) // 2)

    def _ask_idea(self, idea: int, now: Sentence) -> None:
        self._flush()
        named = dict.fromkeys(owner for _, owner, kind in now.hits if kind == "name")
        for owner in named if len(named) > 1 else (idea,):
            self.idea = owner
            self._say(Act("ask", "idea", item=self.table.ids[owner]))

    def _quiz(self, idea: int, now: Sentence | None = None) -> None:
        scene = self.pending
        if self.setup is not None and self.acts and self.acts[-1] is self.setup and self.setup.scene:
            self.acts.pop()  # the scene of the question
            scene = [*self.setup.sentences, *scene]
        if now is not None and scene and not any(kind == "name" for _, _, kind in now.hits):
            sums = [
                score + 0.6 * sum(sentence.scores[i] for sentence in scene)
                for i, score in enumerate(now.scores)
            ]
            idea = max(range(len(sums)), key=sums.__getitem__)
        self.pending = []
        self.idea = idea
        self._say(Act("quiz", item=self.table.ids[idea]))

    def _vague(self, now: Sentence) -> None:
        """A question that names no idea."""
        cues, tokens = now.cues, now.tokens
        last = self.acts[-1] if self.acts else None
        if isinstance(last, Act) and last.kind == "quiz":
            return  # "Why not?"
        about = self.idea if self.idea >= 0 else self.context
        if self.idea < 0:
            self.refers = True
        if "idea" in cues:
            if about >= 0:
                self._ask_idea(about, Sentence("", []))
            else:
                self._say(Act("ask", "open"))
        elif "quiz" in cues or (tokens[0] in WH and now.size > 2):
            if about >= 0:
                self._quiz(about)
            else:
                self.weak.append("open")
        elif about >= 0 and now.size > 4:
            self._quiz(about)
        elif "you" in tokens[:3] and now.size > 3:
            self._say(Act("ask", "open"))
        elif not _SOUND.isdisjoint(tokens):
            self._say(Act("confirm"))

    # Statements.

    def _statement(self, now: Sentence) -> None:
        cues = now.cues
        idea, score = self._best(now)
        named = list(dict.fromkeys(owner for _, owner, kind in now.hits if kind == "name"))
        if "recap" in cues or (self._lists(now, named) and "plan" not in cues):
            self._flush()
            self._say(Act("recap"))
            self.mode = "recap"
            return
        if self.mode == "recap" and "mistake" not in cues:
            return
        plans = "plan" in cues and cues["plan"] <= 3 and self._announces(now, score)
        if not (plans and cues["plan"] == 0 and "mistake" not in cues) and self._corrects(now, idea, score):
            return
        if ("confirm" in cues and now.size <= 6 and not now.hits) or (
            score < 2.0 and _wants_word(now.tokens)
        ):
            self._say(Act("confirm"))
            return
        if plans:
            if now.hits:
                self.idea = now.hits[0][1]
            self.weak.append("inform")
            return
        if score >= _TOUCH or (now.hits and score > 0.9):
            if self.mode == "denied":
                self._corrected(idea)  # "That is not true. Density …"
            else:
                self._explain(now, idea, score)
        elif self.idea >= 0 and self.acts and not isinstance(self.acts[-1], Act):
            self._explain(now, self.idea, score)
        elif self.mode in ("correct", "denied"):
            return
        else:
            if (
                score < 0.5
                and not _YOU.isdisjoint(now.tokens)
                and not _SOFT.isdisjoint(now.tokens)
                and now.size <= 20
            ):
                self.weak.append("encourage")
                return
            self.pending.append(now)

    def _lists(self, now: Sentence, named: list[int]) -> bool:
        """Whether a sentence goes through several ideas without a word of summing up."""
        touched = len({owner for _, owner, _ in now.hits})
        several = touched >= 3 and (
            now.tokens.count(",") >= 2 or now.tokens[0] in ("so", "now", "remember", "first")
        )
        return len(named) >= 3 or touched >= 4 or several

    def _announces(self, now: Sentence, score: float) -> bool:
        """Whether a sentence says what will be talked of, and no more."""
        return (
            now.size <= 12
            and not (set(now.cues) & {"analogy", "example", "technical"})
            and (score < 4.0 or len(now.hits) <= 1)
            and "means" not in now.tokens
            and (":" not in now.tokens or now.size <= 6)
        )

    def _corrects(self, now: Sentence, idea: int, score: float) -> bool:
        """Whether a sentence denies a belief; then it is a correction of the idea that it is about."""
        cues, table = now.cues, self.table
        best, evidence, met = denials.evidence(now, table, self.idea, self.doubt, self._defines(now, idea))
        before, self.denial = self.denial, evidence
        last = self.acts[-1] if self.acts else None
        alone = isinstance(last, _Explanation) and not last.exact and len(last.sentences) <= 1
        if evidence + 0.4 * max(before, 0.0) * alone < denials.DENIES:
            return False
        if (
            met < 0.9
            and score < 1.0
            and _OWN.intersection(now.tokens[:3])
            and not denials.NEGATIONS.isdisjoint(now.tokens)
        ):
            if "mistake" not in cues:
                self._say(Act("refuse"))
                return True
        if alone and isinstance(last, _Explanation) and (last.idea == best or before > 1.2):
            self.acts.pop()  # the belief that is denied
        if met < 0.7 and now.scores[best] < 1.0:
            best = self.idea if self.idea >= 0 else self.context
            if self.idea < 0:
                self.refers = True
            if best < 0:
                self.pending.append(now)
                self.mode = "denied"
                return True
        self.conceded = self.conceded or "encourage" in cues or "but" in now.tokens[:8]
        self._corrected(best)
        return True

    def _corrected(self, idea: int) -> None:
        self.pending.clear()
        self.idea = idea
        self._say(Act("correct", item=self.table.ids[idea]))
        self.mode = "correct"

    def _explain(self, now: Sentence, idea: int, score: float) -> None:
        current = self.idea
        if current >= 0 and current != idea and self.acts and isinstance(self.acts[-1], _Explanation):
            hit = any(owner == idea for _, owner, _ in now.hits)
            if now.scores[current] >= (0.8 if hit else 0.6) * score:
                idea = current
        goes_on = self.mode == "correct" and idea == self.idea and not self._defines(now, idea)
        if goes_on and now.cues.keys().isdisjoint(("analogy", "example")):
            return
        self.mode = ""
        evidence = Evidence()
        defines = self._defines(now, idea)
        scene = now.tokens[0] in _SCENE and not defines and _EXPLAINS.isdisjoint(now.tokens)
        for waiting in self.pending:
            evidence.add(weigh(waiting.raw, waiting.tokens, set(waiting.cues), self.table, idea))
        self.pending.clear()
        evidence.add(weigh(now.raw, now.tokens, set(now.cues), self.table, idea, defines))
        self._explained(idea, evidence, scene=scene, strong=score >= _TOUCH)
        last = self.acts[-1]
        if isinstance(last, _Explanation):
            last.sentences.append(now)

    def _defines(self, now: Sentence, idea: int) -> bool:
        """Whether a sentence begins "density is …"."""
        for place, owner, _ in now.hits:
            if owner == idea and place <= 4:
                return any(token in _DEFINING for token in now.tokens[place + 1 : place + 6])
        return False

    def _explained(
        self, idea: int, evidence: Evidence, exact: str = "", scene: bool = False, strong: bool = True
    ) -> None:
        """Go on with the explanation of an idea, or begin another."""
        self.idea = idea
        last = self.acts[-1] if self.acts else None
        if isinstance(last, _Explanation) and last.idea == idea and last.takes(evidence, exact, strong):
            last.evidence.add(evidence)
            last.exact = last.exact or exact
            last.scene = last.scene and scene
            return
        piece = _Explanation(idea, evidence, exact, scene)
        self.setup = piece
        self.acts.append(piece)

    # The whole turn.

    def _best(self, now: Sentence) -> tuple[int, float]:
        """The idea that a sentence is about, and its score."""
        table, scores = self.table, list(now.scores)
        for place, owner, kind in now.hits:
            if place <= 4 and kind == "name":
                scores[owner] += 0.8
                if any(token in _DEFINING for token in now.tokens[place + 1 : place + 5]):
                    scores[owner] += 1.0
        if self.idea >= 0:
            scores[self.idea] += 0.5 if scores[self.idea] > 0.5 else 0.0
        best = max(range(len(scores)), key=scores.__getitem__)
        for other, rests in enumerate(table.rests):
            if best in rests and scores[other] >= 0.85 * scores[best] and scores[other] > 1.0:
                best = other
        return best, scores[best]

    def _say(self, act: Act) -> None:
        self.acts.append(act)

    def _flush(self) -> None:
        """What waited for an idea and got none: it is about the idea talked of before, or other content."""
        if not self.pending:
            return
        about = self.idea if self.idea >= 0 else self.context
        if self.idea < 0:
            self.refers = True
        size = sum(sentence.size for sentence in self.pending)
        cues = {kind for sentence in self.pending for kind in sentence.cues}
        sums = [sum(column) for column in zip(*(sentence.scores for sentence in self.pending), strict=True)]
        likely = max(range(len(sums)), key=sums.__getitem__)
        if sums[likely] >= 0.4 and size >= 6 and (about < 0 or sums[likely] >= 1.1):
            about = likely
        if about >= 0 and (size >= 8 or cues & {"analogy", "example", "technical"}) and not cues & {"plan"}:
            evidence = Evidence()
            for waiting in self.pending:
                evidence.add(weigh(waiting.raw, waiting.tokens, set(waiting.cues), self.table, about))
            self._explained(about, evidence)
        else:
            self.weak.append("inform")
        self.pending.clear()

    def finish(self, words: int) -> tuple[Act, ...]:
        """The acts of the turn."""
        self._flush()
        pieces = [act for act in self.acts if isinstance(act, _Explanation) and not act.exact]
        if (
            words <= LENGTHS["long"]
            and len({piece.idea for piece in pieces}) >= 3
            and all(len(piece.sentences) <= 1 for piece in pieces)
        ):
            place = self.acts.index(pieces[0])
            self.acts[place] = Act("recap")
            self.acts = [act for act in self.acts if act not in pieces]
        acts = [act.act(self.table) if isinstance(act, _Explanation) else act for act in self.acts]
        kinds = {act.kind for act in acts}
        if "refuse" in kinds:
            acts = [act for act in acts if act.kind not in ("acknowledge", "confirm", "encourage")]
        if "close" in kinds:
            acts = [act for act in acts if act.kind not in ("greet",)]
            if all(act.kind in ("close", "acknowledge") for act in acts):
                acts = [act for act in acts if act.kind == "close"]
        if "greet" in kinds:
            acts = [act for act in acts if act.kind != "acknowledge"]
        if "correct" in kinds and self.conceded:
            acts = [Act("acknowledge") if act.kind == "encourage" else act for act in acts]
        if not acts and self.weak[:1] == ["encourage"]:
            acts = [Act("encourage")]
        if not acts:
            acts = [Act("ask", "open") if self.weak[:1] == ["open"] else Act("inform")]
        for name in ("very_long", "long"):
            if words > LENGTHS[name]:
                acts.append(Act("lengthy", value=name))
                break
        return tuple(dict.fromkeys(acts))


class _Explanation:
    """Sentences that explain one idea in one way."""

    __slots__ = ("idea", "evidence", "exact", "scene", "sentences")

    def __init__(self, idea: int, evidence: Evidence, exact: str, scene: bool) -> None:
        self.idea, self.evidence, self.exact, self.scene = idea, evidence, exact, scene
        self.sentences: list[Sentence] = []

    def takes(self, other: Evidence, exact: str, strong: bool) -> bool:
        """Whether a further sentence goes on in the same way, rather than beginning another explanation."""
        mine, new = self.exact or self.evidence.kind, exact or other.kind
        if mine == new:
            return True
        if exact:
            return False
        if new == "plain":
            return True
        if mine == "plain":
            return other.strength < 1.0
        return other.strength < 1.0

    def act(self, table: Material) -> Act:
        """As an act."""
        return Act("explain", value=self.exact or self.evidence.kind, item=table.ids[self.idea])


def _declines(now: Sentence) -> bool:
    """Whether somebody says that they will not teach: "I cannot", "unable to" … in the teacher's own mouth."""
    tokens, place = now.tokens, now.cues.get("refuse")
    content = max(now.scores, default=0.0)
    if place is not None and (content < 2.0 or place <= 1):
        own = place <= 1 or not _OWN.isdisjoint(tokens[: place + 2])
        if own and all(token in _FIRST or token in _OWN for token in tokens[max(0, place - 2) : place]):
            return True
    for i, token in enumerate(tokens[:14]):
        if token not in _UNWILLING and " ".join(tokens[i : i + 2]) not in _UNWILLING:
            continue
        if all(before in _FIRST for before in tokens[max(0, i - 3) : i]) and not _HELPING.isdisjoint(
            tokens[i + 1 : i + 7]
        ):
            return True
    words = set(tokens)
    return (
        content < 1.0
        and len(tokens) <= 14
        and bool(words & _NOT_HERE)
        and bool(words & _LESSON)
        and "let" not in words
        and "lets" not in words
    )


def _wants_word(tokens: list[str]) -> bool:
    """Whether somebody asks to be told when things are not clear: "let me know if you are lost"."""
    if not {
        "know",
        "tell",
        "say",
        "shout",
        "stop",
        "confirm",
        "holler",
        "yell",
        "interrupt",
        "signal",
        "nod",
    } & set(tokens[:6]):
        return False
    return (
        len(tokens) <= 18
        and not _SOUND.isdisjoint(tokens)
        and not {"if", "whether", "when", "that", "once"}.isdisjoint(tokens)
    )


def _foreign(text: str, sentences: list[Sentence]) -> bool:
    """Whether the text is no English: no words, code, words of other languages, or none that are known."""
    tokens = [token for sentence in sentences for token in sentence.tokens if token[0].isalpha()][:80]
    if not tokens:
        return True
    common = common_words()
    english = sum(map(common.__contains__, tokens))
    if english * 2 > len(tokens):
        return False
    if any(mark in text for mark in _CODE):
        return True
    foreign = sum((token in FOREIGN and token not in common) or not token.isascii() for token in tokens)
    if "¿" in text or "¡" in text or (foreign > english and foreign > 1):
        return True
    if any(sentence.hits or max(sentence.scores, default=0.0) > 1.0 for sentence in sentences):
        return False
    return foreign > english or english * 4 < len(tokens)


__all__ = ["focus", "understand"]
