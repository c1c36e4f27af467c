"""What every algorithm of the table must do, one by one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from dialog_envs.agents import trainer
from dialog_envs.agents.algorithms import ALGORITHMS, algorithm_class, make_algorithm
from dialog_envs.agents.batch import Batch, collate
from dialog_envs.agents.checkpoint import load_model
from dialog_envs.agents.language_model import DialogueModel, ModelConfig, build_model
from dialog_envs.agents.learned import LearnedAgent
from dialog_envs.agents.registry import BUILT_IN, LEARNED
from dialog_envs.agents.sequences import TextEpisode, TokenEpisode, encode_episode, text_episode
from dialog_envs.agents.trainer import Algorithm
from dialog_envs.agents.training import train
from tests.agents.toy import PlainView, ToyTask, corridor_episodes

TINY = ModelConfig(layers=1, width=32, attention_heads=2, vocabulary=320, context=96)
QUICK = {"epochs": 4, "tokens_per_batch": 1024, "precision": "fp32"}
EPISODES = corridor_episodes(60)

VARIANTS: dict[str, dict[str, Any]] = {
    **{name: {} for name in ALGORITHMS},
    "ilql/shared": {"trunk": "shared"},
    "ilql/utterance": {"level": "utterance"},
    "ilql/data": {"action_vocabulary": "data"},
    "awr/q": {"advantage": "q"},
    "awr/shared": {"trunk": "shared"},
}
"""Name / which of its ways -> settings."""

FALLING = {"awr/q": "cql"}
"""The part of the loss that must fall where it is not the whole: AWAC's goals move with its policy."""


def make(variant: str) -> Algorithm[Any]:
    return make_algorithm(variant.partition("/")[0], VARIANTS[variant])


def texts() -> list[TextEpisode]:
    return [text_episode(e, PlainView(), lambda s: str(s["brief"])) for e in EPISODES]


def prepared(variant: str, count: int = 12) -> tuple[Algorithm[Any], DialogueModel, list[TokenEpisode]]:
    """An algorithm, its model with heads that are not zero, and some episodes."""
    learner = make(variant)
    chosen = learner.select(texts())
    with trainer.seeded(0, "test"):
        model = build_model(TINY, [text for e in chosen for _, text in e.segments])
        episodes = [encode_episode(model.tokenizer, e, 96) for e in chosen[:count]]
        learner.prepare(model, episodes)
        for name, parameter in model.named_parameters():
            if "heads." in name and "outer" in name:
                torch.nn.init.normal_(parameter, std=0.1)
    return learner, model, episodes


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BC checkpoint from which the others start."""
    path = tmp_path_factory.mktemp("conformance") / "bc"
    train("bc", EPISODES, path, task=ToyTask(), settings=QUICK, model=TINY, progress=False)
    return path


def fitted(variant: str, out: Path, start: Path, **more: Any) -> Any:
    name = variant.partition("/")[0]
    init = start if algorithm_class(name).starts_from_bc else None
    return train(
        name, EPISODES, out, task=ToyTask(), settings=QUICK | VARIANTS[variant], init=init,
        model=None if init else TINY, progress=False, **more,
    )  # fmt: skip


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_table_is_the_registry_and_the_command_line(name: str) -> None:
    kind = algorithm_class(name)
    assert kind.name == name and kind.__doc__
    assert name in LEARNED and name in BUILT_IN
    config = kind.config_class()
    assert config.training.epochs > 0 and type(config).__doc__
    assert replace(config) == config


@pytest.mark.parametrize("variant", VARIANTS)
def test_training_twice_gives_equal_weights_and_loading_equal_numbers(
    tmp_path: Path, start: Path, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[DialogueModel] = []
    fit = trainer.fit
    monkeypatch.setattr(
        trainer, "fit", lambda a, model, *r, **m: (kept.append(model), fit(a, model, *r, **m))[1]
    )
    torch.manual_seed(1)
    fitted(variant, tmp_path / "a", start)
    torch.manual_seed(2)
    fitted(variant, tmp_path / "b", start)
    (first, _), (second, _) = load_model(tmp_path / "a"), load_model(tmp_path / "b")
    weights, others = first.state_dict(), second.state_dict()
    assert weights.keys() == others.keys()
    assert all(torch.equal(weights[name], others[name]) for name in weights)

    ids, last = torch.tensor([[3, 20, 30, 4]]), torch.tensor([1, 3])
    tokens = torch.tensor([[1, 20, 40], [1, 21, 41]])
    with torch.no_grad():
        for found in (first, second):
            logits, expected = (m.logits(m.states(ids, last)) for m in (found, kept[0]))
            assert torch.equal(logits, expected)
            assert (found.heads is None) == (kept[0].heads is None)
            if found.heads is not None and kept[0].heads is not None:
                values, expected = (
                    m.heads.decoding_values(m.value_states(ids, last), tokens, logits)  # type: ignore[union-attr]
                    for m in (found, kept[0])
                )
                assert torch.equal(values, expected)
                assert variant in ("awr", "awr/shared") or values[:, 0].abs().min() > 0  # AWR learns V only


@pytest.mark.parametrize("variant", VARIANTS)
def test_fitting_lowers_the_loss(variant: str) -> None:
    """At the start of the warm-up goals are returns, which stay: the same episodes cost less afterwards."""
    learner, model, episodes = prepared(variant, count=40)
    training = replace(
        learner.config.training, epochs=6, tokens_per_batch=512, validation=0.0, precision="fp32"
    )
    learner.config = replace(learner.config, training=training)
    learner.prepare(model, episodes)
    part = FALLING.get(variant, "loss")

    def cost() -> float:
        batch = collate(episodes, model.pad_id, model.end_id)
        with torch.no_grad():
            loss, parts = learner.loss(model, batch, progress=0.0)
        return float(({"loss": loss} | parts)[part])

    before = cost()
    report = trainer.fit(learner, model, episodes, progress=False)
    assert cost() < 0.95 * before
    assert set(report.losses) >= {"loss", "gradient"}


def batch_of(model: DialogueModel, episodes: list[TokenEpisode]) -> Batch:
    return collate(episodes, model.pad_id, model.end_id)


def trunks(model: DialogueModel) -> list[torch.nn.Module]:
    """Every transformer that reads a batch."""
    extra = getattr(model.heads, "target_trunk", None)
    return [trunk for trunk in (model.policy.base_model, model.value_trunk, extra) if trunk is not None]


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_reach_only_what_they_should(variant: str) -> None:
    learner, model, episodes = prepared(variant)
    batch = batch_of(model, episodes)
    seen: list[torch.Tensor] = []

    def watch(_: Any, __: Any, output: Any) -> None:
        if output.last_hidden_state.requires_grad:
            output.last_hidden_state.retain_grad()
            seen.append(output.last_hidden_state)

    for trunk in trunks(model):
        trunk.register_forward_hook(watch)
    learner.loss(model, batch, progress=1.0)[0].backward()  # type: ignore[no-untyped-call]
    acting = set(batch.state[: len(batch.action)].tolist())
    assert seen
    for hidden in seen:  # directly, only the states in which the agent chose a token learn
        assert hidden.grad is not None
        touched = hidden.grad.flatten(0, 1).abs().sum(-1).nonzero().flatten().tolist()
        assert touched and set(touched) <= acting
    reached = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert not any("target" in name for name in reached)
    policy, values = (
        any(name.startswith(part) for name in reached) for part in ("policy.", ("heads.", "value_trunk."))
    )
    name, separate = variant.partition("/")[0], model.value_trunk is not None
    assert values == (model.heads is not None)
    assert policy == (not separate or name == "awr")  # beside a separate trunk the policy stays as BC left it


@pytest.mark.parametrize("variant", VARIANTS)
def test_user_tokens_are_no_targets(variant: str) -> None:
    """With hidden states held fixed, other user tokens give the same loss to the bit, other agent tokens another."""
    learner, model, episodes = prepared(variant)
    batch = batch_of(model, episodes)
    generator = torch.Generator().manual_seed(0)
    fixed = torch.randn((*batch.ids.shape, model.width), generator=generator)

    def hold(_: Any, __: Any, output: Any) -> Any:
        output.last_hidden_state = fixed
        return output

    for trunk in trunks(model):
        trunk.register_forward_hook(hold)
    agents = torch.zeros(batch.ids.numel(), dtype=torch.bool)
    agents[batch.state[: len(batch.action)] + 1] = True
    changed = torch.where(agents.view_as(batch.ids), batch.ids, (batch.ids + 7) % model.vocabulary)
    other = replace(batch, action=batch.action.roll(1))
    with torch.no_grad():
        losses = [
            float(learner.loss(model, b, progress=1.0)[0])
            for b in (batch, replace(batch, ids=changed), other)
        ]
    assert losses[0] == losses[1] != losses[2]


def test_a_vocabulary_of_the_data_leaves_out_what_agents_never_said(tmp_path: Path, start: Path) -> None:
    record = fitted("ilql/data", tmp_path / "a", start).record
    model, _ = load_model(tmp_path / "a")
    assert record["model"]["heads"]["actions"] == len(model.heads.actions) <= 8 < model.vocabulary  # type: ignore[union-attr,arg-type]
    agent = LearnedAgent.from_pretrained(tmp_path / "a", task=ToyTask(), view=PlainView(), beta=100.0)
    opening: Any = {"brief": "", "dialogue": ({"speaker": 1, "text": "at 0"},)}
    words = {word for text in agent.act_batch([opening] * 16, range(16)) for word in text.split()}
    assert words <= {"left", "right"}
    tokens = torch.tensor([[model.end_id, model.pad_id], [model.pad_id, model.role_ids["<|user|>"]]])
    values = model.heads.decoding_values(torch.zeros(2, 32), tokens, torch.zeros(2, model.vocabulary))  # type: ignore[union-attr]
    assert values[0, 1] == -torch.inf and torch.all(values[1] == 0)  # nothing known: the policy speaks alone


def test_what_is_said_at_play_stands_in_the_record(tmp_path: Path, start: Path) -> None:
    """The agent of a return-conditioned model reads the note that its training wrote."""
    fitted("dt", tmp_path / "dt", start)
    record = json.loads((tmp_path / "dt" / "training.json").read_text())
    assert record["condition"] == "9" and "beta" not in record
    agent = LearnedAgent.from_pretrained(tmp_path / "dt", task=ToyTask(), view=PlainView())
    learner = make("dt")
    walk = next(e for e in texts() if e.total_reward > 0 and len(e.rewards) == 2)
    (whole,) = [
        e for e in learner.select(texts()) if e.segments[-1] == walk.segments[-1] and e.group == walk.group
    ]
    turns = [{"speaker": 0 if role == "agent" else 1, "text": text} for role, text in walk.segments]
    prefix = agent._prefix({"brief": "two ways", "dialogue": tuple(turns[:3])})  # type: ignore[typeddict-item]
    encoded = encode_episode(agent.model.tokenizer, whole, 96).ids.tolist()
    assert encoded[: len(prefix)] == prefix
    fitted("awr", tmp_path / "awr", start)
    assert json.loads((tmp_path / "awr" / "training.json").read_text())["beta"] == 0.0
