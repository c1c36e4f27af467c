"""Keys and values kept across turns: the same logits, the same texts, bounded memory; and the best of n utterances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    GPT2Config,
    GPT2Model,
    GPTNeoXConfig,
    GPTNeoXModel,
    LlamaConfig,
    LlamaModel,
    MistralConfig,
    MistralModel,
)

from dialog_envs.agents.arguments import read_arguments
from dialog_envs.agents.decoding import Decoder, DecodingConfig, generate
from dialog_envs.agents.kv_cache import Entry, PrefixStore, common_prefix
from dialog_envs.agents.learned import LearnedAgent
from dialog_envs.agents.rows import StoredRows
from dialog_envs.agents.trunks import NeoXReader, Reader, reader_for
from dialog_envs.errors import UsageError
from tests.agents.test_decoding import new_model, observation
from tests.agents.toy import PlainView

NEOX: dict[str, Any] = {
    "vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64,
    "max_position_embeddings": 64, "bos_token_id": 1, "eos_token_id": 1,
}  # fmt: skip
WHOLE = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0}
LLAMA = {**NEOX, "num_key_value_heads": 2}
TRUNKS = {
    "small": lambda: GPTNeoXModel(GPTNeoXConfig(**NEOX, rope_parameters=WHOLE)),
    "sequential": lambda: GPTNeoXModel(
        GPTNeoXConfig(**NEOX, rope_parameters=WHOLE, use_parallel_residual=False)
    ),
    "neox": lambda: GPTNeoXModel(GPTNeoXConfig(**NEOX)),
    "gpt2": lambda: GPT2Model(
        GPT2Config(
            vocab_size=50, n_embd=32, n_layer=2, n_head=4, n_positions=64, bos_token_id=1, eos_token_id=1
        )
    ),
    "llama": lambda: LlamaModel(LlamaConfig(**LLAMA)),
}


@pytest.mark.parametrize("kind", TRUNKS)
def test_hidden_states_equal_those_of_transformers(kind: str) -> None:
    torch.manual_seed(0)
    trunk = TRUNKS[kind]().eval()
    reader = reader_for(trunk)
    assert reader is not None and isinstance(reader, NeoXReader) == (kind in ("small", "sequential"))
    rng = np.random.default_rng(0)
    texts = [rng.integers(0, 50, size=n).tolist() for n in (1, 40, 7, 12)]
    store = PrefixStore(1 << 24)

    def expected(ids: list[int]) -> torch.Tensor:
        hidden: torch.Tensor = trunk(input_ids=torch.tensor([ids]), use_cache=False).last_hidden_state[0, -1]
        return hidden

    def check(rows: StoredRows, ids: list[list[int]]) -> None:
        for hidden, row in zip(rows.hidden[0], ids, strict=True):
            torch.testing.assert_close(hidden, expected(row), atol=1e-5, rtol=1e-5)

    with torch.no_grad():
        rows = StoredRows([reader], texts, store, range(4), room=8)
        check(rows, texts)
        rows.extend(torch.tensor([5, 6, 7, 8]))
        seen = [[*ids, token] for ids, token in zip(texts, (5, 6, 7, 8), strict=True)]
        check(rows, seen)
        order = rows.keep(np.array([False, True, False, True]))
        assert sorted(order) == [1, 3]
        rows.extend(torch.tensor([9, 9]))
        check(rows, [[*seen[i], 9] for i in order])
        rows.keep(np.array([False, False]))
        # the next turn: one dialogue goes on, one was rewritten, one is new
        following = [[*seen[3], 9, 1, 2], [*seen[1][:20], 49, 3], [4, 4]]
        found = [store.find(key, ids, 1)[1] for key, ids in zip((3, 1, 9), following, strict=True)]
        assert found[0] == len(seen[3]) + 1 and 20 <= found[1] < 22 and found[2] == 0
        check(StoredRows([reader], following, store, (3, 1, 9), room=2), following)


def test_trunks_that_do_not_see_everything_use_the_cache_of_transformers() -> None:
    config = MistralConfig(**LLAMA, sliding_window=8)
    assert reader_for(MistralModel(config)) is None
    model = new_model(None)
    decoder, config = Decoder(model), DecodingConfig(max_tokens=10)
    assert isinstance(decoder._reader(model.policy.base_model), Reader)
    prefixes = [[3, 20, 4], [3, *range(10, 30), 4], [3, 7, 8, 4]]
    uniforms = np.random.default_rng(1).random((3, 10))
    expected = generate(model, prefixes, uniforms, config)
    decoder._readers[id(model.policy.base_model)] = None
    decoder._reader = lambda trunk: None  # type: ignore[method-assign, assignment]
    assert decoder.generate(prefixes, uniforms, config, keys=range(3)) == expected


@pytest.mark.parametrize("trunk", [None, "shared", "separate"])
def test_turn_after_turn_says_what_a_fresh_agent_says(trunk: str | None) -> None:
    decoding = DecodingConfig(beta=2.0 if trunk else 0.0, max_tokens=6)
    model = new_model(trunk)
    kept = LearnedAgent(model, PlainView(), decoding)
    said: list[list[str]] = [[f"hello {i}"] for i in range(20)]
    for turn in range(3):
        seen = [observation(*texts) for texts in said]
        texts = kept.act_batch(seen, list(range(20)))  # type: ignore[arg-type]
        assert texts == LearnedAgent(model, PlainView(), decoding).act_batch(seen, list(range(20)))  # type: ignore[arg-type]
        for one, text in zip(said, texts, strict=True):
            one.extend([text, f"left {turn}"])
    assert len(kept._decoder.store) == 20


def test_a_model_that_learns_forgets_what_it_read() -> None:
    model = new_model(None)
    agent = LearnedAgent(model, PlainView(), DecodingConfig(max_tokens=8))
    agent.act_batch([observation("hello")], [1])  # type: ignore[list-item]
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.mul_(1.5)
    seen = [observation("hello", "left", "right")]
    fresh = LearnedAgent(model, PlainView(), DecodingConfig(max_tokens=8))
    assert agent.act_batch(seen, [1]) == fresh.act_batch(seen, [1])  # type: ignore[arg-type]


def test_memory_is_bounded_and_the_longest_unused_go_first() -> None:
    def entry(tokens: int) -> Entry:
        return Entry(tuple(range(tokens)), (torch.zeros(1, 2, tokens, 1, 1),))  # 8 bytes a token

    store = PrefixStore(100)
    for key in range(3):
        store.put(key, entry(5))
    assert len(store) == 2 and store.used == 80 and store.find(0, [0, 1, 2], 1) == (None, 0)
    store.put(1, entry(6))
    assert store.used == 88
    store.put(2, entry(100))
    assert len(store) == 0 and store.used == 0
    assert common_prefix([1, 2, 3], [1, 2, 4, 5]) == 2 and common_prefix([], [1]) == 0


def test_best_of_n_says_the_utterance_of_the_best_advantage() -> None:
    model = new_model("separate")
    n, length = 5, 7
    prefixes = [[3, 20, 4], [3, *range(10, 40), 4]]
    uniforms = np.random.default_rng(2).random((2, n, length))
    config = DecodingConfig(method="best-of-n", samples=n, max_tokens=length, beta=9.0)
    plain = DecodingConfig(max_tokens=length)
    best = Decoder(model).generate(prefixes, uniforms, config, keys=["a", "b"])
    for row, prefix in enumerate(prefixes):
        drawn = [generate(model, [prefix], u[None], plain)[0] for u in uniforms[row]]
        values = []
        for ids in drawn:
            said = ids if len(ids) == length else [*ids, model.end_id]
            at = torch.tensor([len(prefix) + len(said) - 2])
            with torch.no_grad():
                state = model.value_states(torch.tensor([[*prefix, *said[:-1]]]), at)
                assert model.heads is not None
                values.append(float(model.heads.target_values(state, torch.tensor([said[-1]]))))  # type: ignore[operator]
        assert best[row] == drawn[int(np.argmax(values))]
    again = [[*prefix, 30, 31] for prefix in prefixes]  # goes on from what was remembered
    decoder = Decoder(model)
    decoder.generate(prefixes, uniforms, config, keys=["a", "b"])
    expected = Decoder(model).generate(again, uniforms, config)
    assert decoder.generate(again, uniforms, config, keys=["a", "b"]) == expected
    with pytest.raises(UsageError, match="value heads"):
        Decoder(new_model(None)).generate(prefixes, uniforms, config)
    for settings in ({"method": "beam"}, {"samples": 0}):
        with pytest.raises(UsageError):
            DecodingConfig(**settings)  # type: ignore[arg-type]


def test_settings_from_the_command_line_are_of_their_kinds() -> None:
    texts = {"beta": "0", "samples": "4", "decoding": "best-of-n", "top_k": "none"}
    found = read_arguments(LearnedAgent.from_pretrained, texts, "ilql")
    assert found == {"beta": 0.0, "samples": 4, "decoding": "best-of-n", "top_k": None}
    assert isinstance(found["beta"], float)
