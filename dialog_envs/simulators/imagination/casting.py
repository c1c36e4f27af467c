"""Who talks with whom in a dataset: the arguments of ``imagine``, checked and in one canonical form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dialog_envs.core.outcome import REWARDS
from dialog_envs.core.task import Task
from dialog_envs.core.user import USERS
from dialog_envs.errors import UnknownName, UsageError
from dialog_envs.registration import PLAYED
from dialog_envs.simulators.imagination.critique import CRITERIA
from dialog_envs.simulators.imagination.judging import model_criteria
from dialog_envs.simulators.imagination.rollout import Cast
from dialog_envs.simulators.llm import ChatModel, get_chat_model


def make_cast(
    task: Task[Any, Any, Any], seed: int, policies: Mapping[str, float] | None, speakers: Mapping[str, Any],
    model_share: float, families: Sequence[str] | None, user: str, reward: str, model: str | None,
    variants: Sequence[str] = (), success_share: float = 0.5, user_model: str | ChatModel | None = None,
) -> Cast:  # fmt: skip
    """Check the arguments, and put them in one canonical form.

    Args:
        task, seed, policies, speakers, model_share, families, user, reward, model, success_share, user_model: as
            :func:`~dialog_envs.simulators.imagination.engine.imagine` takes them.
        variants: prompts that imagine whole dialogues, where that is what is to be done.
    """
    if seed < 0:
        raise UsageError(f"the seed must not be negative; got {seed}")
    if reward not in REWARDS:
        raise UsageError(f"reward must be one of {', '.join(REWARDS)}; got {reward!r:.60}")
    if user not in USERS:
        raise UnknownName(user, USERS, "These are the user simulators.")
    player = _player(user, user_model, bool(variants))
    if not 0.0 <= success_share <= 1.0:
        raise UsageError(f"the share of successes must be between 0 and 1; got {success_share}")
    if variants:
        shares = _checked_variants(policies, variants)
        chosen = typical_families(task, families)
        return Cast(task, seed, shares, chosen, user, reward, {}, {}, success_share=success_share)
    models = {name: model or model_name(speaker) for name, speaker in speakers.items()}
    mixture = policies if policies is not None else default_mixture(task, tuple(speakers), model_share)
    return Cast(
        task, seed, _checked_mixture(task, mixture, speakers), typical_families(task, families), user, reward, speakers,
        {name: text for name, text in models.items() if text is not None}, user_model=player,
    )  # fmt: skip


def _player(user: str, model: str | ChatModel | None, imagined: bool) -> ChatModel | None:
    """The chat model that plays the user, if one does. Raises :class:`UsageError`."""
    if imagined and (user != "scripted" or model is not None):
        raise UsageError(
            "nobody plays the user of a dialogue that is imagined as a whole: leave --user and --user-model out, or "
            "choose --mode rollout."
        )
    if user in PLAYED:
        return (
            model if model is not None and not isinstance(model, str) else get_chat_model(model or "embedded")
        )
    if model is not None:
        raise UsageError(f"{user} users have no model: choose one with --user llm or --user grounded.")
    return None


def choose_criteria(
    task: Task[Any, Any, Any], names: Sequence[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """(rules, a model's criteria) by the names that datasets give them; all rules and ``None`` where nobody chose.

    Raises:
        UnknownName: there is no such criterion.
    """
    if names is None:
        return tuple(CRITERIA), None
    asked = model_criteria(task.task_brief.all_criteria())
    for name in names:
        if name not in CRITERIA and name not in asked:
            raise UnknownName(name, (*CRITERIA, *asked), "These are the criteria of the critique.")
    return tuple(n for n in CRITERIA if n in names), tuple(n for n in asked if n in names)


def default_mixture(
    task: Task[Any, Any, Any], speakers: Sequence[str], model_share: float
) -> dict[str, float]:
    """The task's own mixture, with ``model_share`` of it shared out evenly to ``speakers``.

    Raises:
        UsageError: the share is no share.
    """
    if not 0.0 <= model_share <= 1.0:
        raise UsageError(f"the model's share must be between 0 and 1; got {model_share}")
    share = model_share if speakers else 0.0
    total = sum(task.behaviour_mixture.values())
    mixture = {name: weight / total * (1.0 - share) for name, weight in task.behaviour_mixture.items()}
    return mixture | {name: share / len(speakers) for name in speakers}


def typical_families(task: Task[Any, Any, Any], families: Sequence[str] | None) -> tuple[str, ...]:
    """The families asked for, in the prior's order; all typical ones by default.

    Raises:
        UsageError: a family is held out, so that no training data may hold it.
        UnknownFamily: there is no such family.
    """
    wanted: set[str] = set()
    for name in families if families is not None else ("typical",):
        held_out = [family for family in task.prior.group(name) if family in task.prior.hard]
        if held_out:
            raise UsageError(
                f"'{name}' users are held out for evaluation ({', '.join(held_out)}): no dataset may hold them. "
                f"Choose among {', '.join(task.prior.typical)}."
            )
        wanted.update(task.prior.group(name))
    if not wanted:
        raise UsageError(f"name at least one user family: {', '.join(task.prior.typical)}")
    return tuple(name for name in task.prior.typical if name in wanted)


def _checked_mixture(
    task: Task[Any, Any, Any], mixture: Mapping[str, float], speakers: Mapping[str, Any]
) -> dict[str, float]:
    """Shares that sum to 1, sorted by name, so that the order of writing changes nothing."""
    for name, weight in mixture.items():
        if name not in task.policies and name not in speakers:
            raise UnknownName(name, (*task.policies, *speakers), "These policies can be rolled out.")
        if not 0.0 <= weight < float("inf"):
            raise UsageError(f"the weight of policy '{name}' must be at least 0; got {weight}")
        if name not in speakers and weight and hasattr(task.policies[name](), "reveal"):
            raise UsageError(
                f"policy '{name}' sees the persona: what it does cannot be learned from the dialogue."
            )
    return _shares(mixture)


def _checked_variants(weights: Mapping[str, float] | None, variants: Sequence[str]) -> dict[str, float]:
    """Shares of the prompts that imagine; all alike where nobody says otherwise."""
    given = weights if weights is not None else dict.fromkeys(variants, 1.0)
    full = {name if name in variants else f"imagine.{name}": weight for name, weight in given.items()}
    for name, weight in full.items():
        if name not in variants:
            raise UnknownName(name, variants, "These are the prompts that imagine dialogues.")
        if not 0.0 <= weight < float("inf"):
            raise UsageError(f"the weight of prompt '{name}' must be at least 0; got {weight}")
    return _shares(full)


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    if total <= 0:
        raise UsageError("the weights of the policies sum to 0: give at least one a weight")
    return {name: round(weights[name] / total, 12) for name in sorted(weights) if weights[name] > 0}


def model_name(speaker: Any) -> str | None:
    """The language model behind an agent-like object, by its own account: ``model.version`` or ``description``."""
    for text in (
        getattr(getattr(speaker, "model", None), "version", None),
        getattr(speaker, "description", None),
    ):
        if isinstance(text, str) and text:
            return text
    return None
