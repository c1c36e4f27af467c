"""Chat spelling and typos of what agents say about activities."""

from __future__ import annotations

from functools import lru_cache

from ...language.spelling import SLANG, Speller
from .cues import common_words, table

_PAIRS = """\
fancyin fancy  cannae cant  dosh money  quid euros  moola money  moolah money  cash money
wonga money  dough money  recs recommendations  suggs suggestions  wheelchairs wheelchair  outdoorz outdoors
sweet great  grand great  smashing great  ace great  dope great  sik great  indor indoors  outdor outdoors
buget budget  budgt budget  favor prefer  favour prefer  favours prefer  favors prefer  hike hiking
hikes hiking  hiker hiking  colour color
""".split()
_SLANG = {**SLANG, **dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))}


def fix(tokens: list[str]) -> list[str]:
    """The tokens as the lexicon spells them; words that mean nothing to it stay as they are."""
    return _speller().fix(tokens)


@lru_cache(maxsize=1)
def _speller() -> Speller:
    phrases = (row for rows in table().values() for _, row, _ in rows)
    return Speller(common_words(), {word for row in phrases for word in row}, _SLANG)
