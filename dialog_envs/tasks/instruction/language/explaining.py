"""An explanation in the making: sentences about one idea, and how it is explained."""

from __future__ import annotations

from ....core.dialogue import Act
from .levels import Evidence
from .material import Material
from .sentences import Sentence


class Explanation:
    """Sentences that explain one idea in one way."""

    __slots__ = ("idea", "evidence", "exact", "scene", "sentences")

    def __init__(self, idea: int, evidence: Evidence, exact: str, scene: bool) -> None:
        self.idea, self.evidence, self.exact, self.scene = idea, evidence, exact, scene
        self.sentences: list[Sentence] = []

    def takes(self, other: Evidence, exact: str) -> bool:
        """Whether a further sentence goes on in the same way, rather than beginning another explanation."""
        mine, new = self.exact or self.evidence.kind, exact or other.kind
        if mine == new:
            return True
        if exact:
            return False
        return new == "plain" or other.strength < 1.0

    def act(self, table: Material) -> Act:
        """As an act."""
        return Act("explain", value=self.exact or self.evidence.kind, item=table.ids[self.idea])
