"""Numbers and amounts of money in a row of tokens: "twenty-five euros", "€10", "a fiver", "5 or 10 euros"."""

from __future__ import annotations

from dataclasses import dataclass

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
WORDS: dict[str, float] = {word: float(number) for number, word in enumerate(_UNITS)} | {
    word: 20.0 + 10.0 * place for place, word in enumerate(_TENS)
}
_SCALES = {"hundred": 100.0, "thousand": 1000.0, "million": 1e6, "billion": 1e9, "k": 1000.0}
_NOTES = {"fiver": 5.0, "tenner": 10.0, "twenties": 20.0}
CURRENCY = frozenset("euros euro eur € bucks buck quid dollars dollar $ £ pounds pound usd".split())
NUMBER_TOKENS = frozenset((*WORDS, *_SCALES, *_NOTES, *CURRENCY))
"""Words of numbers and money."""
_CENTS = frozenset(("cents", "cent", "pence", "ct"))
_VAGUE = {"couple": 2.0, "few": 5.0, "handful": 5.0, "several": 5.0}
_JOINS = frozenset(("or", "to", "and", "-", "–", "—", "maybe", "even", ","))


@dataclass(frozen=True, slots=True)
class Amount:
    """A number where it stands.

    Attributes:
        start, end: the first token, and the one behind the last (with its currency).
        value: the number; of money, in euros, whatever the currency.
        money: whether a currency stands beside it.
        digits: whether it was written in digits.
    """

    start: int
    end: int
    value: float
    money: bool
    digits: bool

    def moved(self, by: int) -> Amount:
        """The same number, ``by`` tokens further on."""
        return Amount(self.start + by, self.end + by, self.value, self.money, self.digits)


def amounts(tokens: list[str]) -> list[Amount]:
    """All numbers, left to right, in one linear pass."""
    found: list[Amount] = []
    i, n = 0, len(tokens)
    while i < n:
        token = tokens[i]
        if token[0].isdigit() or token in WORDS or token in _SCALES:
            value, end = _number(tokens, i, n)
            begin = i - (token in _SCALES and i > 0 and tokens[i - 1] == "a")
            found.append(_money(tokens, begin, end, value, n, token[0].isdigit()))
            i = max(found[-1].end, i + 1)
        elif token in _NOTES:
            begin = i - (i > 0 and tokens[i - 1] == "a")
            found.append(Amount(begin, i + 1, _NOTES[token], True, False))
            i += 1
        elif token in _VAGUE or (token in ("a", "an", "single", "another") and tokens[i + 1 : i + 2]):
            j = i + 2 if token in _VAGUE and tokens[i + 1 : i + 2] == ["of"] else i + 1
            if j < n and tokens[j] in CURRENCY and tokens[j] not in "€$£":
                found.append(Amount(i, j + 1, _VAGUE.get(token, 1.0), True, False))
                i = j
            i += 1
        else:
            i += 1
    return _ranges(tokens, found)


def _number(tokens: list[str], i: int, n: int) -> tuple[float, int]:
    """The value of the number at token i, and the token behind it."""
    token = tokens[i]
    if token[0].isdigit():
        value = _digits(token)
        i += 1
    elif token in WORDS:
        value = WORDS[token]
        i += 1
        if value >= 20 and i < n and 0 < WORDS.get(tokens[i], 0) < 10:
            value += WORDS[tokens[i]]
            i += 1
    else:
        value = 1.0
    while i < n and tokens[i] in _SCALES:
        value *= _SCALES[tokens[i]]
        i += 1
        if i + 1 < n and tokens[i] == "and" and (tokens[i + 1] in WORDS):
            value += WORDS[tokens[i + 1]]
            i += 2
    return value, i


def _digits(token: str) -> float:
    """ "2,400" is 2400; "2.5" and "2,5" are two and a half; what is no number is 0."""
    whole, comma, after = token.rpartition(",")
    text = token.replace(",", "") if not comma or len(after) == 3 else f"{whole.replace(',', '')}.{after}"
    if text.count(".") > 1 or (text.count(".") == 1 and len(text.partition(".")[2]) == 3):
        text = text.replace(".", "")
    try:
        return float(text[:15])
    except ValueError:
        return 0.0


def _money(tokens: list[str], start: int, end: int, value: float, n: int, digits: bool) -> Amount:
    """The number with the currency beside it."""
    before = tokens[start - 1] if start else ""
    after = tokens[end] if end < n else ""
    if after in CURRENCY:
        return Amount(start, end + 1, value, True, digits)
    if before in ("€", "$", "£", "eur"):
        return Amount(start - 1, end, value, True, digits)
    if after in _CENTS:
        return Amount(start, end + 1, value / 100.0, True, digits)
    return Amount(start, end, value, False, digits)


def _ranges(tokens: list[str], found: list[Amount]) -> list[Amount]:
    """Numbers before an amount of money, joined to it ("5 or 10 euros"), are money too."""
    for place in range(len(found) - 2, -1, -1):
        one, two = found[place], found[place + 1]
        between = tokens[one.end : two.start]
        if two.money and not one.money and 0 < len(between) <= 2 and _JOINS.issuperset(between):
            found[place] = Amount(one.start, one.end, one.value, True, one.digits)
    return found
