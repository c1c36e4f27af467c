"""Backbones: GPT-2's and Llama's kinds, whole or with adapters, and the embedded model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from dialog_envs.agents import backbones
from dialog_envs.agents.checkpoint import load_model
from dialog_envs.agents.language_model import ModelConfig, build_model
from dialog_envs.agents.learned import LearnedAgent
from dialog_envs.agents.training import train
from dialog_envs.errors import CheckpointError, UsageError
from tests.agents.toy import PlainView, ToyTask, corridor_episodes

EPISODES = corridor_episodes(40)
QUICK = {"epochs": 1, "tokens_per_batch": 1024}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tiny random models as transformers saves them, with a tokenizer that has never heard of roles."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        GPT2Config,
        GPT2LMHeadModel,
        LlamaConfig,
        LlamaForCausalLM,
        PreTrainedTokenizerFast,
    )

    path = tmp_path_factory.mktemp("backbones")
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate([*letters, "<eos>"])}, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(False), decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        gpt2 = GPT2LMHeadModel(GPT2Config(vocab_size=257, n_positions=128, n_embd=32, n_layer=2, n_head=2))
        llama = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=257, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=2, max_position_embeddings=128, tie_word_embeddings=False,
            )
        )  # fmt: skip
    with backbones.quiet():
        for name, model in (("gpt2", gpt2), ("llama", llama)):
            model.save_pretrained(path / name)
            fast.save_pretrained(path / name)
    return path


def fitted(algorithm: str, backbone: Path, out: Path, lora: int = 0, **more: Any) -> dict[str, Any]:
    return train(
        algorithm, EPISODES, out, task=ToyTask(), settings=QUICK | more.pop("settings", {}), progress=False,
        model=ModelConfig(backbone=str(backbone), lora_rank=lora), **more,
    ).record  # fmt: skip


@pytest.mark.parametrize("lora", [0, 4])
@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_any_causal_language_model_can_be_the_backbone(
    tmp_path: Path, folder: Path, name: str, lora: int, capfd: pytest.CaptureFixture[str]
) -> None:
    trunk = "shared" if name == "gpt2" else "separate"
    record = fitted("ilql", folder / name, tmp_path / "a", lora, settings={"trunk": trunk})
    assert capfd.readouterr() == ("", "")  # no progress bar, no note of transformers
    agent = LearnedAgent.from_pretrained(tmp_path / "a", view=PlainView())
    said = agent.act_batch([{"brief": "", "dialogue": ({"speaker": 1, "text": "at 0"},)}] * 2, [1, 2])
    assert len(said) == 2 and agent.model.context == 128
    weights = agent.model.state_dict()
    assert not [key for key in weights if "lora" in key]  # merged: no peft is needed to play
    files = {path.name for path in (tmp_path / "a").iterdir()}
    assert {"config.json", "model.safetensors", "value_heads.safetensors", "README.md"} <= files
    assert record["learning"] < record["parameters"]


def test_adapters_are_all_that_learns_beside_the_embeddings(folder: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build_model(ModelConfig(backbone=str(folder / "llama"), lora_rank=4), [], ("<1>",))
    free = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert {name.split(".")[-2] for name in free if "lora" not in name} == {"embed_tokens", "lm_head"}
    assert sum("lora_B" in name for name in free) == 2 * 7
    ids, last = torch.tensor([[3, 20, 30, 4]]), torch.tensor([1, 3])
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        before = model.logits(model.states(ids, last))
        model.merge_adapters()
        after = model.logits(model.states(ids, last))
    assert torch.allclose(before, after, atol=1e-5)
    assert not [name for name, _ in model.named_parameters() if "lora" in name]


def test_adapters_on_a_checkpoint(tmp_path: Path, folder: Path) -> None:
    fitted("bc", folder / "llama", tmp_path / "bc")
    record = fitted("awr", folder / "llama", tmp_path / "awr", 2, init=tmp_path / "bc")
    assert record["learning"] < 0.6 * record["parameters"]
    before, after = (load_model(tmp_path / name)[0].policy.state_dict() for name in ("bc", "awr"))
    moved = [name for name, value in before.items() if not torch.equal(value, after[name])]
    assert any("q_proj" in name for name in moved) and not any("norm" in name for name in moved)


def test_lora_without_peft_says_what_to_install(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(UsageError, match=r"LoRA needs peft: pip install"):
        fitted("bc", folder / "llama", tmp_path / "a", 2)
    assert not list(tmp_path.iterdir())


def test_wrong_shapes_and_names_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lora_rank=-1 must be at least 0"):
        ModelConfig(lora_rank=-1)
    with pytest.raises(CheckpointError, match=r"backbone '.*nothing' cannot be loaded"):
        fitted("bc", tmp_path / "nothing", tmp_path / "a")


@pytest.mark.embedded
def test_the_embedded_model_is_a_llama_of_transformers() -> None:
    from dialog_envs.simulators.llm.chat_tokens import ChatTokenizer
    from dialog_envs.simulators.llm.embedded_file import checked_model_file
    from dialog_envs.simulators.llm.gguf_file import GgufFile
    from dialog_envs.simulators.llm.llama import Llama, Span

    model = build_model(ModelConfig(backbone="embedded"), [], ("<1>",)).eval()
    file = GgufFile(checked_model_file())
    theirs = ChatTokenizer(file.metadata)
    text = " The capital of France is 12 km away – naïve, isn't it?"
    ids = list(theirs.encode(text))
    assert model.tokenizer.encode(text, add_special_tokens=False) == ids
    with torch.inference_mode():
        expected = Llama(file, torch.float32)
        hidden = expected.forward([Span(tuple(ids))])[0]
        found = model.logits(model.states(torch.tensor([ids]), torch.arange(len(ids))))
        assert torch.allclose(found[:, :49152], expected.logits(hidden), atol=2e-3)
    assert model.context == 1024 and found.shape[-1] == len(model.tokenizer) == 49152 + 7
    assert json.loads(json.dumps(model.policy.config.to_dict(), default=str))["model_type"] == "llama"
