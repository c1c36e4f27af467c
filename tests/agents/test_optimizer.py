"""Muon against torch's own, which moves one matrix at a time; and which optimiser moves what."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dialog_envs.agents import optimizer as module
from dialog_envs.agents.checkpoint import load_model, save_model
from dialog_envs.agents.language_model import DialogueModel, ModelConfig, build_model
from dialog_envs.agents.lora import add_lora
from dialog_envs.agents.optimizer import Muon, make_optimizers, orthogonalize
from dialog_envs.agents.state import Place, Unfinished
from dialog_envs.agents.trainer import TrainingConfig
from dialog_envs.errors import CheckpointError, UsageError

SHAPES = [(12, 4), (4, 4), (4, 12), (12, 4), (4, 4)]


def test_it_steps_as_torch_does() -> None:
    """torch orthogonalises in bfloat16: steps differ by a hundredth of their size."""
    torch.manual_seed(0)
    ours = [nn.Parameter(torch.randn(shape)) for shape in SHAPES]
    theirs = [nn.Parameter(p.detach().clone()) for p in ours]
    muon = Muon(ours, lr=0.02, weight_decay=0.1)
    reference = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        for p, q in zip(ours, theirs, strict=True):
            p.grad = torch.randn_like(p)
            q.grad = p.grad.clone()
        before = [p.detach().clone() for p in ours]
        muon.step()
        reference.step()
        for p, q, old in zip(ours, theirs, before, strict=True):
            assert (p - q).norm() < 0.05 * (q - old).norm()


@given(st.integers(0, 2**31), st.sampled_from([(1, 3, 7), (2, 7, 3), (3, 5, 5)]), st.floats(1e-6, 1e6))
def test_what_comes_out_is_nearly_orthogonal(seed: int, shape: tuple[int, int, int], scale: float) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    u, s, v = torch.linalg.svd(x, full_matrices=False)
    s = s.clamp(min=0.2 * s.amax(-1, keepdim=True))  # far smaller ones take more rounds
    out = orthogonalize(scale * (u * s[:, None]) @ v)
    found = torch.linalg.svdvals(out)
    assert (found > 0.6).all() and (found < 1.3).all()
    assert (torch.diagonal(u.mT @ out @ v.mT, dim1=-2, dim2=-1) > 0.6).all()  # the same directions


@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_few_at_a_time_are_moved_as_all_together(
    dtype: torch.dtype | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    start = [torch.randn(shape) for shape in SHAPES]
    slopes = [torch.randn(shape) for shape in SHAPES]

    def moved() -> list[nn.Parameter]:
        parameters = [nn.Parameter(value.clone()) for value in start]
        for parameter, slope in zip(parameters, slopes, strict=True):
            parameter.grad = slope
        Muon(parameters, lr=0.1, dtype=dtype).step()
        return parameters

    together = moved()
    monkeypatch.setattr(module, "TOGETHER", 20)
    assert all(torch.allclose(p, q, atol=1e-6) for p, q in zip(together, moved(), strict=True))


def test_no_gradient_no_step() -> None:
    still = nn.Parameter(torch.ones(2, 2))
    Muon([still], lr=1.0, weight_decay=0.5).step()
    assert (still == 1).all()


def small() -> DialogueModel:
    torch.manual_seed(0)
    shape = ModelConfig(layers=1, width=16, attention_heads=2, vocabulary=300, context=32)
    return build_model(shape, ["some words"], [])


def moved_by_muon(model: DialogueModel, **settings: object) -> set[str]:
    optimizers = make_optimizers(model, TrainingConfig(**settings))  # type: ignore[arg-type]
    names = {id(p): name for name, p in model.named_parameters()}
    each = [{names[id(p)] for g in o.param_groups for p in g["params"]} for o in optimizers]
    learning = {name for name, p in model.named_parameters() if p.requires_grad}
    assert set().union(*each) == learning and sum(map(len, each)) == len(learning)  # everything once
    return each[1] if len(each) == 2 else set()


def test_muon_moves_the_hidden_matrices_of_a_model_from_scratch() -> None:
    model = small()
    block = "policy.gpt_neox.layers.0."
    matrices = {"attention.query_key_value", "attention.dense", "mlp.dense_h_to_4h", "mlp.dense_4h_to_h"}
    hidden = {f"{block}{name}.weight" for name in matrices}
    assert moved_by_muon(model) == moved_by_muon(model, optimizer="muon") == hidden
    assert moved_by_muon(model, optimizer="adamw") == set()
    model.policy.config.from_scratch = False  # as every pretrained backbone is
    assert moved_by_muon(model) == set()
    assert moved_by_muon(model, optimizer="muon") == hidden


def test_a_separate_trunk_has_its_own_and_adapters_are_adamws() -> None:
    model = small()
    model.add_heads(trunk="separate")
    assert len(moved_by_muon(model)) == 4
    assert all(name.startswith("value_trunk.") for name in moved_by_muon(model))
    adapted = small()
    add_lora(adapted.policy, 2)
    assert moved_by_muon(adapted) == set()


def test_muon_with_nothing_to_move_is_refused() -> None:
    adapted = small()
    add_lora(adapted.policy, 2)
    with pytest.raises(UsageError, match="train without --lora-rank, or with optimizer=auto"):
        make_optimizers(adapted, TrainingConfig(optimizer="muon"))


def test_gpt2s_transposed_layers_are_matrices_too() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    model = small()
    model.policy = cast(
        Any, GPT2LMHeadModel(GPT2Config(vocab_size=300, n_positions=32, n_embd=16, n_layer=1, n_head=2))
    )
    assert moved_by_muon(model) == set()  # pretrained, as far as its configuration says
    names = {"attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"}
    assert moved_by_muon(model, optimizer="muon") == {f"policy.transformer.h.0.{n}.weight" for n in names}


def test_a_checkpoint_remembers_that_it_began_from_scratch(tmp_path: Path) -> None:
    model = small()
    save_model(model, tmp_path, {})
    loaded, _ = load_model(tmp_path)
    assert loaded.from_scratch and moved_by_muon(loaded) == moved_by_muon(model)


def stepped(model: DialogueModel, **settings: object) -> list[torch.optim.Optimizer]:
    """Optimisers after one step, so that they have averages."""
    optimizers = make_optimizers(model, TrainingConfig(**settings))  # type: ignore[arg-type]
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    for optimizer in optimizers:
        optimizer.step()
    return optimizers


def test_a_state_holds_the_averages_of_both_optimisers(tmp_path: Path) -> None:
    model, other = small(), small()
    with pytest.raises(KeyboardInterrupt), Unfinished(tmp_path / "a", "key", every=1) as unfinished:
        unfinished.save(Place("bc", 1), model, saved := stepped(model), {})
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), Unfinished(tmp_path / "a", "key") as unfinished:
        unfinished.restore(other, restored := make_optimizers(other, TrainingConfig()))
        raise KeyboardInterrupt
    assert len(saved) == 2
    for one, two in zip(saved, restored, strict=True):
        first, second = (sorted(o.state_dict()["state"].items()) for o in (one, two))
        assert [index for index, _ in first] == [index for index, _ in second] != []
        for (_, a), (_, b) in zip(first, second, strict=True):
            assert a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_state_of_other_optimisers_says_what_to_do(tmp_path: Path) -> None:
    model = small()
    one = stepped(model, optimizer="adamw")
    bare = SimpleNamespace(state_dict=lambda: {"state": {i: {"exp_avg": torch.ones(1)} for i in range(9)}})
    for optimizers in (one, [bare] * 9):  # without Muon's averages; with more than there are
        with pytest.raises(KeyboardInterrupt), Unfinished(tmp_path / "a", "key", every=1) as unfinished:
            unfinished.save(Place("bc", 1), model, cast(Any, optimizers), {})
            raise KeyboardInterrupt
        with (
            pytest.raises(CheckpointError, match=r"saved with other optimisers\): remove .* begin again"),
            Unfinished(tmp_path / "a", "key") as unfinished,
        ):
            unfinished.restore(model, make_optimizers(model, TrainingConfig()))


def test_unknown_optimizer() -> None:
    with pytest.raises(UsageError, match="optimizer='sgd' is unknown"):
        TrainingConfig(optimizer="sgd")  # type: ignore[arg-type]


def test_muon_needs_whole_matrices() -> None:
    assert len(make_optimizers(small(), TrainingConfig(), sharded=True)) == 1
    with pytest.raises(UsageError, match="without --use_fsdp"):
        make_optimizers(small(), TrainingConfig(optimizer="muon"), sharded=True)
