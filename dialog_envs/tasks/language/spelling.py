"""Chat spelling and typos: what an unusual word stands for among the words that a task's understanding uses.

Typos are caught by symmetric deletion: two words that agree after one deletion in each are taken for the same (source:
Garbe's SymSpell), so that a look-up costs as many steps as the word has letters, however many words are known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

_PAIRS = """\
u you  ur your  r are  n and  nd and  wats whats  wots whats  whatre what  wat what  wut what  wht what
pls please  plz please  thx thanks  ty thanks  tnx thanks  k okay  kk okay  doin doing  lookin looking
feelin feeling  wanna want  gonna going  gotta have  gimme give  lemme let  kinda kind  sorta sort
ppl people  peeps people  smth something  sth something  sumthin something  somethin something
nothin nothing  anythin anything  cuz because  coz because  bc because  bout about  abt about  luv love
wud would  cud could  shud should  wld would  hv have  hav have  ya you  yall you  yous you  ye you  cya bye
cheers thanks  ta thanks  laters bye  toodles bye  toodle bye  aint isnt  dunno unsure  prolly maybe
mayb maybe  def definitely  fav favourite  fave favourite  gud good  gd good  tht that  dat that  dis this
da the  wen when  hw how  hows hows  whats whats  likin like  goin going  slo slow
makin making  eatin eating  spendin spending  drinkin drinking  tryna try  innit right  yep yes  yup yes
nah no  nope no  soz sorry  srry sorry  sry sorry  yo hey  heya hey  hullo hello  ello hello  welp well
lil little  lowkey lowkey  mins minutes  hrs hours  hr hour  wknd weekend  arvo afternoon  mornin morning
evenin evening  gotchu gotcha  okey okay  okie okay  oki okay  alrighty alright  righto alright  rite right
defo definitely  obvs obviously  tbh honestly  kewl cool  noice nice  awsome awesome
""".split()
SLANG: Mapping[str, str] = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
"""Chat spellings that mean the same whatever a talk is about."""

_MEMO_SIZE = 8_192


class Speller:
    """Spells the words of any text as a task's tables do.

    Args:
        known: words that are never a typo.
        targets: words that a typo may stand for (those of five letters or more count).
        slang: chat spelling -> word.
        fits: whether a token may be a typo of a word that it is near to.

    What was once looked up is remembered, so that a common word costs one dictionary access.
    """

    __slots__ = ("_deletions", "_fits", "_known", "_memo", "_slang")

    def __init__(
        self,
        known: Collection[str],
        targets: Collection[str],
        slang: Mapping[str, str] = SLANG,
        fits: Callable[[str, str], bool] = lambda token, word: True,
    ) -> None:
        self._known, self._slang, self._fits = known, slang, fits
        self._deletions = _deletions(targets)
        self._memo: dict[str, str] = {}

    def fix(self, tokens: list[str]) -> list[str]:
        """The tokens as the tables spell them; words that mean nothing to them stay as they are."""
        known = self._memo.get
        return [known(token) or self._learn(token) for token in tokens]

    def _learn(self, token: str) -> str:
        if len(self._memo) >= _MEMO_SIZE:
            self._memo.clear()
        self._memo[token] = word = self._fixed(token)
        return word

    def _fixed(self, token: str) -> str:
        slang, known = self._slang, self._known
        if token in slang:
            return slang[token]
        if len(token) < 4 or len(token) > 24 or token in known or not token.isalpha():
            return token
        for short in (_squeeze(token, 2), _squeeze(token, 1)):
            if short != token and (short in known or short in slang):
                return slang.get(short, short)
        if token.endswith("in") and token + "g" in known:
            return token + "g"
        if len(token) < 5:
            return token
        for candidate in (token, *(token[:i] + token[i + 1 :] for i in range(1, len(token)))):
            word = self._deletions.get(candidate)
            if word is None or abs(len(word) - len(token)) > 1:
                continue
            if (len(word) > 5 < len(token) or sorted(word) == sorted(token)) and self._fits(token, word):
                return word
        return token


def _squeeze(token: str, most: int) -> str:
    """No letter more than ``most`` times in a row where it stands three times or more: "heyyy" -> "hey"."""
    out, i = [], 0
    while i < len(token):
        j = i
        while j < len(token) and token[j] == token[i]:
            j += 1
        out.append(token[i] * (min(j - i, most) if j - i > 2 else j - i))
        i = j
    return "".join(out)


def _deletions(targets: Collection[str]) -> dict[str, str]:
    """Every target that a typo may stand for, by itself and with one letter less (the first letter stays)."""
    words = {word for word in targets if len(word) >= 5 and word.isalpha()}
    found: dict[str, str] = {}
    for word in sorted(words):
        for i in range(1, len(word)):
            found.setdefault(word[:i] + word[i + 1 :], word)
    found.update({word: word for word in words})
    return found
