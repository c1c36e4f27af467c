"""Chat spelling and typos: what an unusual word stands for among the words that the lexicon and cues use."""

from __future__ import annotations

from functools import lru_cache

from .cues import common_words, table

_PAIRS = """\
u you  ur your  r are  n and  nd and  wats whats  wots whats  whatre what  wat what  wut what  wht what
pls please  plz please  thx thanks  ty thanks  tnx thanks  k okay  kk okay  doin doing  lookin looking
feelin feeling  wanna want  gonna going  gotta have  gimme give  lemme let  kinda kind  sorta sort
ppl people  peeps people  smth something  sth something  sumthin something  somethin something
nothin nothing  anythin anything  cuz because  coz because  bc because  bout about  abt about  luv love
wud would  cud could  shud should  wld would  hv have  hav have  ya you  yall you  yous you  ye you  cya bye
cheers thanks  ta thanks  laters bye  toodles bye  toodle bye  aint isnt  dunno unsure  prolly maybe
mayb maybe  def definitely  fav favourite  fave favourite  gud good  gd good  tht that  dat that  dis this
da the  wen when  hw how  hows hows  whats whats  fancyin fancy  likin like  goin going  slo slow
makin making  eatin eating  spendin spending  drinkin drinking  tryna try  innit right  yep yes  yup yes
nah no  nope no  soz sorry  srry sorry  sry sorry  yo hey  heya hey  hullo hello  ello hello  welp well
cannae cant  lil little  lowkey lowkey  dosh money  quid euros  moola money  moolah money  cash money
wonga money  dough money  mins minutes  hrs hours  hr hour  wknd weekend  arvo afternoon  mornin morning
evenin evening  gotchu gotcha  okey okay  okie okay  oki okay  alrighty alright  righto alright  rite right
recs recommendations  suggs suggestions  wheelchairs wheelchair  outdoorz outdoors  defo definitely
obvs obviously  tbh honestly  kewl cool  sweet great  grand great  smashing great  ace great  noice nice
dope great  sik great  awsome awesome  indor indoors  outdor outdoors  buget budget  budgt budget
favor prefer  favour prefer  favours prefer  favors prefer  hike hiking  hikes hiking  hiker hiking
colour color
""".split()
_SLANG = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))

_MEMO_SIZE = 8_192
_memo: dict[str, str] = {}


def fix(tokens: list[str]) -> list[str]:
    """The tokens as the lexicon spells them; words that mean nothing to it stay as they are."""
    known = _memo.get
    return [known(token) or _learn(token) for token in tokens]


def _learn(token: str) -> str:
    if len(_memo) >= _MEMO_SIZE:
        _memo.clear()
    _memo[token] = word = _fixed(token)
    return word


def _fixed(token: str) -> str:
    if token in _SLANG:
        return _SLANG[token]
    known = common_words()
    if len(token) < 4 or len(token) > 24 or token in known or not token.isalpha():
        return token
    for short in (_squeeze(token, 2), _squeeze(token, 1)):
        if short != token and (short in known or short in _SLANG):
            return _SLANG.get(short, short)
    if token.endswith("in") and token + "g" in known:
        return token + "g"
    if len(token) < 5:
        return token
    deletions = _deletions()
    for candidate in (token, *(token[:i] + token[i + 1 :] for i in range(1, len(token)))):
        word = deletions.get(candidate)
        if word is None or abs(len(word) - len(token)) > 1:
            continue
        if len(word) > 5 < len(token) or sorted(word) == sorted(token):
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


@lru_cache(maxsize=1)
def _deletions() -> dict[str, str]:
    """Every word of the lexicon and cues that a typo may stand for, by itself and with one letter less."""
    phrases = (row for rows in table().values() for _, row, _ in rows)
    words = {word for row in phrases for word in row if len(word) >= 5 and word.isalpha()}
    found: dict[str, str] = {}
    for word in sorted(words):
        for i in range(1, len(word)):
            found.setdefault(word[:i] + word[i + 1 :], word)
    found.update({word: word for word in words})
    return found
