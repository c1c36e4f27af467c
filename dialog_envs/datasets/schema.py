"""What a dataset holds: one frozen record an episode, and its JSON, both ways and strictly.

Reading checks types by hand rather than with a validation library: a dataset of somebody else's is a trust border,
and half a million turns shall still load in seconds. Nothing that is read is ever executed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dialog_envs.core.dialogue import AGENT, USER, Act, Turn
from dialog_envs.errors import DatasetError

SCHEMA_VERSION = 1
"""Changes when a reader of the old version would misread the new one."""
VERDICTS = ("kept", "revised", "dropped")
"""What the critique did with an episode. Dropped ones stand in a file of their own, never in the shards."""
MODES = ("rollout", "imagined", "imported")
"""How a dialogue was made: played in the environment, written as a whole by a model, or brought from elsewhere."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of the critique, applied to one episode.

    Attributes:
        name: the criterion.
        passed: whether the episode meets it.
        reason: why not; empty when passed.
    """

    name: str
    passed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Critique:
    """What the critique found, and what it did about it.

    Attributes:
        verdict: one of :data:`VERDICTS`.
        criteria: the episode *as it was made* (before a revision) under each criterion.
    """

    verdict: str = "kept"
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """How an episode came about.

    Attributes:
        mode: one of :data:`MODES`.
        policy: name of the policy that spoke for the agent.
        user: name of the user simulator.
        model: the language model behind the policy, if any.
    """

    mode: str
    policy: str
    user: str
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """One dialogue with everything that is known about it.

    Attributes:
        id: unique within its dataset.
        task: task id.
        seed: decides persona, scenario, user and policy.
        family: the persona's family.
        persona: the hidden parameter, as JSON.
        scenario: the public context, as JSON.
        turns: the dialogue, with acts.
        rewards: one number an agent turn.
        reward: their sum.
        outcome: ``Outcome.to_json(metrics=False)``.
        critique: verdicts with reasons.
        provenance: how it was made.
    """

    id: str
    task: str
    seed: int
    family: str
    persona: Mapping[str, Any]
    scenario: Mapping[str, Any]
    turns: tuple[Turn, ...]
    rewards: tuple[float, ...]
    reward: float
    outcome: Mapping[str, Any]
    critique: Critique
    provenance: Provenance

    @property
    def agent_turns(self) -> int:
        """How often the agent spoke."""
        return [turn.speaker for turn in self.turns].count(AGENT)

    @property
    def persona_key(self) -> str:
        """The persona as text: equal for episodes of the same persona. Who is not known is like nobody else."""
        return json.dumps(self.persona, sort_keys=True) if self.persona else f"unknown: {self.id}"

    def to_json(self) -> dict[str, Any]:
        """The episode as plain JSON, in the order of the file format."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        return plain | {"turns": [turn.to_json() for turn in self.turns]} | self._end()

    def _end(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "rewards": list(self.rewards), "reward": self.reward, "outcome": dict(self.outcome)
        }  # fmt: skip
        return data | self._origin()

    def _origin(self) -> dict[str, Any]:
        """Critique and provenance."""
        data: dict[str, Any] = {}
        data["critique"] = {
            "verdict": self.critique.verdict,
            "criteria": [
                {"name": c.name, "passed": c.passed, "reason": c.reason} for c in self.critique.criteria
            ],
        }
        source = self.provenance
        data["provenance"] = {
            "mode": source.mode, "policy": source.policy, "user": source.user, "model": source.model
        }  # fmt: skip
        return data

    def to_line(self) -> str:
        """:meth:`to_json` as one line of compact JSON, without its end; put together by hand, because it is faster."""
        head = _ENCODE({name: getattr(self, name) for name in _PLAIN})
        turns = ",".join([
            f'{_OPENINGS[turn.speaker]}{_STRING(turn.text)},"acts":{_known(turn.acts) or _acts_text(turn.acts)}}}'
            for turn in self.turns
        ])  # fmt: skip
        end = {"rewards": list(self.rewards), "reward": self.reward, "outcome": dict(self.outcome)}
        rest = _rests.get(key := (self.critique, self.provenance)) or _rest_text(self, key)
        return f'{head[:-1]},"turns":[{turns}],{_ENCODE(end)[1:-1]},{rest}'

    @classmethod
    def from_json(cls, data: Any) -> Episode:
        """Inverse of :meth:`to_json`.

        Raises:
            DatasetError: a field is missing, unknown, or of a wrong type; the message says which.
        """
        if not isinstance(data, dict):
            raise DatasetError(f"an episode is a JSON object; got {type(data).__name__}")
        if data.keys() != _FIELDS:
            raise DatasetError(_differing_fields("an episode", data, _FIELDS))
        for name, kind in _TYPES.items():
            if type(data[name]) is not kind:
                raise DatasetError(f"'{name}' must be {_KINDS[kind]}; got {data[name]!r:.60}")
        turns = tuple([_turn(turn) for turn in data["turns"]])
        rewards = tuple([_number(reward, "rewards") for reward in data["rewards"]])
        episode = cls(
            **{name: data[name] for name in _PLAIN},
            turns=turns,
            rewards=rewards,
            reward=_number(data["reward"], "reward"),
            outcome=data["outcome"],
            critique=critique_from(data["critique"]),
            provenance=provenance_from(data["provenance"]),
        )
        _check_consistent(episode)
        return episode


_PLAIN = ("id", "task", "seed", "family", "persona", "scenario")
_FIELDS = {*_PLAIN, "turns", "rewards", "reward", "outcome", "critique", "provenance"}
_TYPES: dict[str, type] = {
    "id": str, "task": str, "seed": int, "family": str, "persona": dict, "scenario": dict, "turns": list,
    "rewards": list, "outcome": dict, "critique": dict, "provenance": dict,
}  # fmt: skip
_KINDS = {str: "a text", int: "a whole number", dict: "an object", list: "a list", bool: "true or false"}
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_STRING: Callable[[str], str] = json.encoder.encode_basestring
_OPENINGS = {number: f'{{"speaker":{number},"text":' for number in (AGENT, USER)}
_ACT_FIELDS = frozenset(("kind", "slot", "value", "item"))
_CACHE_LIMIT = 50_000
_acts: dict[tuple[Any, ...], Act] = {}
_acts_texts: dict[tuple[Act, ...], str] = {}
_known = _acts_texts.get
_rests: dict[tuple[Critique, Provenance], str] = {}
"""Acts and verdicts repeat: a million turns hold a few thousand different ones. The tables only save time."""
_KINDS_OF_CRITERION = {"name": str, "passed": bool, "reason": str}
UNKNOWN = "unknown"
"""Family of a user whose persona nobody knows: of dialogues from elsewhere."""
LARGEST = 1e300
"""Rewards are smaller than this."""


def _acts_text(acts: tuple[Act, ...]) -> str:
    text = _ENCODE([act.to_json() for act in acts])
    if len(_acts_texts) < _CACHE_LIMIT:
        _acts_texts[acts] = text
    return text


def _rest_text(episode: Episode, key: tuple[Critique, Provenance]) -> str:
    text = _ENCODE(episode._origin())[1:]
    if len(_rests) < _CACHE_LIMIT:
        _rests[key] = text
    return text


def _turn(data: Any) -> Turn:
    try:
        speaker, text, acts = data["speaker"], data["text"], data["acts"]
        if len(data) != 3 or type(text) is not str or type(acts) is not list or type(speaker) is not int:
            raise TypeError
        if speaker != USER and speaker != AGENT:
            raise TypeError
        found = tuple([act_from(act) for act in acts])
    except (KeyError, TypeError, AttributeError):
        raise DatasetError(
            f"a turn is {{speaker: 0 or 1, text, acts: [{{kind, slot, value, item}}]}}; got {data!r:.120}"
        ) from None
    return Turn(speaker, text, found)


def act_from(data: dict[str, Any]) -> Act:
    """An act of a file. Raises KeyError, TypeError or AttributeError where it is none."""
    found = _acts.get(key := tuple(data.items()))
    if found is not None:
        return found
    if not data.keys() <= _ACT_FIELDS or not all(type(value) is str for value in data.values()):
        raise TypeError
    act = Act.from_json(data)
    if len(_acts) < _CACHE_LIMIT:
        _acts[key] = act
    return act


def _number(value: Any, name: str) -> float:
    if type(value) is not float and type(value) is not int:
        raise DatasetError(f"'{name}' holds a value that is no number: {value!r:.60}")
    if not abs(value) < LARGEST:
        raise DatasetError(f"'{name}' holds a number that is too large: {value!r:.60}")
    return float(value)


def critique_from(data: dict[str, Any]) -> Critique:
    """The critique of a file. Raises :class:`DatasetError` where it is none."""
    criteria = data.get("criteria")
    if (
        data.keys() != {"verdict", "criteria"}
        or data["verdict"] not in VERDICTS
        or type(criteria) is not list
    ):
        raise DatasetError(
            f"'critique' is {{verdict: {' or '.join(VERDICTS)}, criteria: […]}}; got {data!r:.120}"
        )
    try:
        rows = tuple([_criterion(row) for row in criteria])
    except (TypeError, AttributeError):
        raise DatasetError(f"a criterion is {{name, passed, reason}}; got {criteria!r:.120}") from None
    return Critique(data["verdict"], rows)


def _criterion(data: dict[str, Any]) -> Criterion:
    if data.keys() != _KINDS_OF_CRITERION.keys():
        raise TypeError
    if not all(type(data[name]) is kind for name, kind in _KINDS_OF_CRITERION.items()):
        raise TypeError
    return Criterion(**data)


def provenance_from(data: dict[str, Any]) -> Provenance:
    """The provenance of a file. Raises :class:`DatasetError` where it is none."""
    if data.keys() != {"mode", "policy", "user", "model"}:
        raise DatasetError(_differing_fields("'provenance'", data, {"mode", "policy", "user", "model"}))
    texts = [data["policy"], data["user"], *([] if data["model"] is None else [data["model"]])]
    if data["mode"] not in MODES or not all(type(text) is str for text in texts):
        raise DatasetError(
            f"'provenance' is {{mode: {' or '.join(MODES)}, policy, user, model}}; got {data!r:.120}"
        )
    return Provenance(data["mode"], data["policy"], data["user"], data["model"])


def _check_consistent(episode: Episode) -> None:
    if episode.seed < 0:
        raise DatasetError(f"'seed' must not be negative; got {episode.seed}")
    if len(episode.rewards) != episode.agent_turns:
        raise DatasetError(
            f"{episode.agent_turns} agent turns, but {len(episode.rewards)} rewards: one each is needed"
        )
    if abs(sum(episode.rewards) - episode.reward) > 1e-6:
        raise DatasetError(f"'reward' is {episode.reward}, but the rewards sum to {sum(episode.rewards)}")
    if type(episode.outcome.get("ended_by")) is not str or type(episode.outcome.get("success")) is not bool:
        raise DatasetError("'outcome' must say 'success' (true or false) and 'ended_by' (a text)")


def _differing_fields(what: str, data: Mapping[str, Any], wanted: set[str]) -> str:
    missing, extra = sorted(wanted - data.keys()), sorted(map(str, data.keys() - wanted))
    parts = [f"lacks {', '.join(missing)}"] if missing else []
    parts += [f"has the unknown field {', '.join(extra):.80}"] if extra else []
    return f"{what} {' and '.join(parts)}"


def parse_line(line: str | bytes) -> Episode:
    """One line of a shard as an episode.

    Raises:
        DatasetError: the line is no JSON, or no episode. The caller adds file and line.
    """
    return Episode.from_json(parse_json(line))


def parse_json(text: str | bytes) -> Any:
    """JSON without the extensions that Python reads by default (NaN, Infinity).

    Raises:
        DatasetError: it is none, or nested too deeply.
    """
    try:
        return DECODER.decode(text.decode("utf-8") if isinstance(text, bytes) else text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"no JSON ({error})") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


DECODER = json.JSONDecoder(parse_constant=_no_constant)
