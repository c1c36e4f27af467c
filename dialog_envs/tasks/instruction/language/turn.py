"""One turn of a teacher being read, sentence by sentence."""

from __future__ import annotations

from functools import lru_cache

from ....core.dialogue import Act
from ....tasks.language.tokens import tokenise
from ....tasks.language.words import WH
from ..acts import KINDS, LENGTHS
from . import denials, sets
from .explaining import Explanation
from .grammar import load
from .levels import Evidence, weigh
from .material import TAIL, Material
from .rules import (
    ASKED,
    TOUCH,
    announces,
    asking,
    declines,
    lists,
    nods,
    only_confirms,
    self_report,
    wants_word,
)
from .sentences import Sentence


@lru_cache(maxsize=1)
def _fillers() -> frozenset[tuple[str, ...]]:
    """The last words of sentences that only make a turn long."""
    return frozenset(tuple(tokenise(text)[-TAIL - 1 : -1]) for text in load("agent")["filler"]["text"])


class Turn:
    """One utterance being read."""

    __slots__ = (
        "table",
        "context",
        "doubt",
        "denial",
        "conceded",
        "caution",
        "refers",
        "acts",
        "weak",
        "idea",
        "pending",
        "mode",
        "setup",
    )

    def __init__(self, table: Material, context: int, doubt: int) -> None:
        self.table, self.context, self.doubt = table, context, doubt
        self.refers = False
        self.acts: list[Act | Explanation] = []
        self.weak: list[str] = []
        self.idea = -1
        self.pending: list[Sentence] = []
        self.mode = ""
        self.denial = 0.0
        self.conceded = False
        self.caution = 0.0
        self.setup: Explanation | None = None

    def add(self, now: Sentence) -> None:
        """Take in one sentence."""
        if tuple(now.tokens[-TAIL - 1 : -1]) in _fillers():
            return
        if now.known is not None and self._quoted(now, *now.known):
            return
        if not now.question and declines(now):
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
        score = self._best(now)[1]
        words = set(tokens)
        if (
            not now.question
            and score < TOUCH
            and at.get("ack", 9) > 1
            and words & sets.PRAISE
            and words & sets.YOU
            and words.isdisjoint(sets.COURTESY)
            and words.isdisjoint(denials.NEGATIONS)
            and now.size <= 20
            and not cues.keys() & {"plan", "mistake", "recap"}
        ):
            at.setdefault("encourage", 0)
        if now.size <= 2 and tokens[0] in ("morning", "evening", "afternoon", "yo", "sup", "hola", "ello"):
            at.setdefault("greet", 0)
        if not at:
            return
        content = (score >= TOUCH + 0.6 and now.size > 7) or (now.question and now.size > 4)
        if "greet" in at and at["greet"] <= 2 and not (now.question and score >= ASKED and at["greet"] > 0):
            self._say(Act("greet"))
            if not content and not (now.question and asking(cues)):
                now.tokens = []
                return
        if "close" in at and not now.question and (score < TOUCH or now.size <= 6) and "example" not in cues:
            if at.get("encourage", -1) > 0 or (words & sets.PRAISE and words & sets.YOU and at["close"] > 4):
                self._say(Act("encourage"))
            self._say(Act("close"))
            now.tokens = []
            return
        if "encourage" in at and not (now.question and at["encourage"] > 3) and "mistake" not in cues:
            apart = at["encourage"] <= 1 and any(token in ".!,—–" for token in tokens[1:7])
            if apart or (not content and (now.size <= 12 or words & sets.YOU)):
                self._say(Act("encourage"))
                if not content:
                    now.tokens = []
                    return
        elif "ack" in at and at["ack"] <= 1 and not content and nods(now, at["ack"]):
            if not any(isinstance(act, Act) and act.kind in ("greet", "encourage") for act in self.acts[-1:]):
                self._say(Act("acknowledge"))
            if not content and now.size <= 7 and not now.question:
                now.tokens = []
                return

    # Questions.

    def _question(self, now: Sentence) -> None:
        cues, tokens = now.cues, now.tokens
        idea, score = self._best(now)
        named = any(owner == idea for _, owner, _ in now.hits)
        about = named or score >= ASKED
        if self.mode == "recap":
            self.mode = ""
        if "refuse" in cues and not about and declines(now):
            self._say(Act("refuse"))
        elif "confirm" in cues and only_confirms(now, named, score):
            self._flush()
            self._say(Act("confirm"))
        elif not any(kind == "name" for _, _, kind in now.hits) and score < 3.0 and self._about_student(now):
            return
        elif about and self_report(now, named and score >= 2.0):
            self._ask_idea(idea, now)
        elif "open" in cues and (not named or score < 2.0):
            self._say(Act("ask", "open"))
        elif about and now.size <= 3 and named and tokens[0] not in ("why", "how"):
            self._ask_idea(idea, now)
        elif about:
            self._quiz(idea, now)
        elif "rhetoric" in cues:
            return
        elif (self.pending or (self.setup is not None and self.setup.scene)) and now.size > 1:
            self._quiz(self.idea if self.idea >= 0 else idea, now)
        elif score > 0.3 and self.idea < 0 and (now.size > 6 or "quiz" in cues) and "open" not in cues:
            self._quiz(idea)
        else:
            self._vague(now)

    def _about_student(self, now: Sentence) -> bool:
        """Questions about who the student is and how they like to learn."""
        cues, words = now.cues, set(now.tokens)
        styles = sum(not words.isdisjoint(row) for row in sets.STYLES)
        wishes = "style" in cues or not words.isdisjoint(sets.WISHES)
        person = "background" in cues or (
            len(words & sets.TRADES) > 0
            and ("you" in words or "your" in words)
            and max(now.scores, default=0.0) < 1.1
        )
        if styles >= 2 or (styles and wishes) or ("style" in cues and not person and "open" not in cues):
            if "background" in cues:
                self._say(Act("ask", "background"))
            self._say(Act("ask", "style"))
        elif person:
            self._say(Act("ask", "background"))
        else:
            return False
        return True

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
        elif self.acts and now.size <= 12:
            self._say(Act("confirm"))
        elif about >= 0 and now.size > 4:
            self._quiz(about)
        elif "you" in tokens[:3] and now.size > 3:
            self._say(Act("ask", "open"))
        elif not sets.SOUND.isdisjoint(tokens):
            self._say(Act("confirm"))

    # Statements.

    def _statement(self, now: Sentence) -> None:
        cues = now.cues
        idea, score = self._best(now)
        named = list(dict.fromkeys(owner for _, owner, kind in now.hits if kind == "name"))
        if "recap" in cues or (lists(now, named) and "plan" not in cues):
            self._flush()
            self._say(Act("recap"))
            self.mode = "recap"
            return
        if self.mode == "recap" and "mistake" not in cues:
            return
        plans = "plan" in cues and cues["plan"] <= 3 and announces(now, score)
        if not (plans and cues["plan"] == 0 and "mistake" not in cues) and self._corrects(now, idea, score):
            return
        if ("confirm" in cues and now.size <= 6 and not now.hits) or (score < 2.0 and wants_word(now.tokens)):
            self._say(Act("confirm"))
            return
        if plans:
            if now.hits:
                self.idea = now.hits[0][1]
            self.weak.append("inform")
            return
        if score >= TOUCH or (now.hits and score > 0.9):
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
                and not sets.YOU.isdisjoint(now.tokens)
                and not sets.SOFT.isdisjoint(now.tokens)
                and now.size <= 20
            ):
                self.weak.append("encourage")
                return
            self.pending.append(now)

    def _corrects(self, now: Sentence, idea: int, score: float) -> bool:
        """Whether a sentence denies a belief; then it is a correction of the idea that it is about."""
        cues, table = now.cues, self.table
        best, evidence, met = denials.evidence(now, table, self.idea, self.doubt, self._defines(now, idea))
        before, self.denial = self.denial, evidence
        last = self.acts[-1] if self.acts else None
        alone = isinstance(last, Explanation) and not last.exact and len(last.sentences) <= 1
        if evidence + 0.4 * max(before, 0.0) * alone < denials.DENIES + self.caution:
            return False
        if (
            met < 0.9
            and score < 1.0
            and sets.OWN.intersection(now.tokens[:3])
            and not denials.NEGATIONS.isdisjoint(now.tokens)
            and "mistake" not in cues
        ):
            self._say(Act("refuse"))
            return True
        if alone and isinstance(last, Explanation) and (last.idea == best or before > 1.2):
            self.acts.pop()  # the belief that is denied
        if met < 0.7 and now.scores[best] < 1.0:
            best = self.idea if self.idea >= 0 else self.context
            if self.idea < 0:
                self.refers = True
            if (
                now.tokens[0] in ("i", "fair", "understandable", "sure", "ok", "okay", "good", "nice")
                and self.doubt < 0
            ):
                self._say(Act("acknowledge"))
                self.mode = "denied"
                return True
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
        if current >= 0 and current != idea and self.acts and isinstance(self.acts[-1], Explanation):
            hit = any(owner == idea for _, owner, _ in now.hits)
            if now.scores[current] >= (0.8 if hit else 0.6) * score:
                idea = current
        goes_on = self.mode == "correct" and idea == self.idea and not self._defines(now, idea)
        if goes_on and now.cues.keys().isdisjoint(("analogy", "example")):
            return
        self.mode = ""
        evidence = Evidence()
        defines = self._defines(now, idea)
        bare = (
            now.size <= 14
            and "analogy" not in now.cues
            and not any(kind == "name" for _, _, kind in now.hits)
        )
        scene = (now.tokens[0] in sets.SCENE or bare) and not defines and sets.EXPLAINS.isdisjoint(now.tokens)
        for waiting in self.pending:
            evidence.add(weigh(waiting.raw, waiting.tokens, set(waiting.cues), self.table, idea))
        self.pending.clear()
        evidence.add(weigh(now.raw, now.tokens, set(now.cues), self.table, idea, defines))
        self._explained(idea, evidence, scene=scene, strong=score >= TOUCH)
        last = self.acts[-1]
        if isinstance(last, Explanation):
            last.sentences.append(now)

    def _defines(self, now: Sentence, idea: int) -> bool:
        """Whether a sentence begins "density is …"."""
        for place, owner, _ in now.hits:
            if owner == idea and place <= 4:
                return any(token in sets.DEFINING for token in now.tokens[place + 1 : place + 6])
        return False

    def _explained(
        self, idea: int, evidence: Evidence, exact: str = "", scene: bool = False, strong: bool = True
    ) -> None:
        """Go on with the explanation of an idea, or begin another."""
        self.idea = idea
        last = self.acts[-1] if self.acts else None
        if isinstance(last, Explanation) and last.idea == idea and last.takes(evidence, exact):
            last.evidence.add(evidence)
            last.exact = last.exact or exact
            last.scene = last.scene and scene
            return
        piece = Explanation(idea, evidence, exact, scene)
        self.setup = piece
        self.acts.append(piece)

    # The whole turn.

    def _best(self, now: Sentence) -> tuple[int, float]:
        """The idea that a sentence is about, and its score."""
        table, scores = self.table, list(now.scores)
        for place, owner, kind in now.hits:
            if place <= 4 and kind == "name":
                scores[owner] += 0.8
                if any(token in sets.DEFINING for token in now.tokens[place + 1 : place + 5]):
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
        pieces = [act for act in self.acts if isinstance(act, Explanation) and not act.exact]
        if (
            words <= LENGTHS["long"]
            and len({piece.idea for piece in pieces}) >= 3
            and all(len(piece.sentences) <= 1 for piece in pieces)
        ):
            place = self.acts.index(pieces[0])
            self.acts[place] = Act("recap")
            self.acts = [act for act in self.acts if act not in pieces]
        acts = [act.act(self.table) if isinstance(act, Explanation) else act for act in self.acts]
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
