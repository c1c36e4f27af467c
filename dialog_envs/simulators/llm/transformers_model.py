"""Models of Hugging Face's transformers, in this process: batched, with their own chat template, on a GPU if there is
one."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from dialog_envs.core.seeding import stream
from dialog_envs.errors import ModelUnavailable, UsageError
from dialog_envs.simulators.llm.base import ChatReply, ChatRequest, Choice, ChoiceRequest, Usage
from dialog_envs.simulators.llm.calls import ChatTooLong, LocalModel
from dialog_envs.simulators.llm.sampling import draw
from dialog_envs.simulators.llm.spec import fields
from dialog_envs.simulators.llm.template import ChatTemplate
from dialog_envs.simulators.llm.thoughts import without_thoughts
from dialog_envs.simulators.llm.writing import Drawing, Ending, cut

OPTIONS: dict[str, Callable[[str], Any]] = {
    "device": str,
    "dtype": str,
    "batch_size": int,
    "reasoning_tokens": int,
    "template": fields,
}
"""Options in a model's name, and how their texts are read."""
DTYPES = ("auto", "bfloat16", "float16", "float32")
_EDGE = 1 << 20  # bytes at both ends of a file of weights that stand for it in the version
T = TypeVar("T", ChatRequest, ChoiceRequest)


class TransformersModel(LocalModel):
    """An instruction-tuned causal language model.

    Every request draws from a generator of its own, so a reply does not depend on what else is in its batch, but for
    the rounding of sums, which may differ with the shape of a batch and tip a rare close call. Code that comes with a
    model is never run, and weights are read from safetensors only.

    Args:
        model: a folder, or an id on the Hugging Face hub (whose own variables, ``HF_TOKEN`` among them, hold).
        device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda:1"`` …
        dtype: ``"auto"`` (as the weights are stored), ``"bfloat16"``, ``"float16"`` or ``"float32"``.
        batch_size: most chats in one batch.
        reasoning_tokens: room for thoughts, added to every request's `max_tokens`.
        template: variables of the chat template, for example ``{"enable_thinking": False}``.

    Raises:
        ModelUnavailable: it cannot be loaded; the message says why.
        UsageError: an option has an unknown value.
    """

    def __init__(
        self,
        model: str,
        *,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 32,
        reasoning_tokens: int = 0,
        template: Mapping[str, Any] | None = None,
    ) -> None:
        if dtype not in DTYPES:
            raise UsageError(f"dtype must be one of {', '.join(DTYPES)}, not '{dtype}'.")
        if batch_size < 1 or reasoning_tokens < 0:
            raise UsageError("batch_size must be at least 1, reasoning_tokens at least 0.")
        self._id = model
        folder = Path(model).expanduser()
        where = str(folder) if folder.is_dir() else model
        self._device = _device(device)
        self._tokenizer, self._model = _load(model, where, dtype, self._device)
        self._template = ChatTemplate(self._tokenizer, model, template or {})
        self._ends = self._template.end_tokens(self._model.generation_config)
        self._model.generation_config = GenerationConfig()  # nobody's taste but the request's
        self._batch_size, self._reasoning_tokens = batch_size, reasoning_tokens
        options = "".join(f" {name}={value}" for name, value in sorted((template or {}).items()))
        number = str(self._model.dtype).removeprefix("torch.")
        self._version = (
            f"{model} {_fingerprint(folder, self._model.config)} {number} {self._device.type}{options}"
        )
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """As :func:`dialog_envs.simulators.llm.get_chat_model` takes it."""
        return f"hf:{self._id}"

    @property
    def version(self) -> str:
        """Model, weights, number format, device and template variables."""
        return self._version

    # ---- writing ---------------------------------------------------------------------------------------------------

    def write_batch(self, requests: Sequence[ChatRequest]) -> list[ChatReply]:
        """Write a message for each chat.

        Raises:
            ChatTooLong: a chat is too long for the model.
        """
        prompts = [self._prompt(request, request.max_tokens + self._reasoning_tokens) for request in requests]
        replies: dict[int, ChatReply] = {}
        with self._lock, torch.inference_mode():
            for batch in self._batches(prompts):
                written = self._write([prompts[i] for i in batch], [requests[i] for i in batch])
                replies |= zip(batch, written, strict=True)
        return [replies[index] for index in range(len(requests))]

    def _write(self, prompts: Sequence[Sequence[int]], requests: Sequence[ChatRequest]) -> list[ChatReply]:
        width = max(map(len, prompts))
        ids, mask = self._left_padded(prompts, width)
        room = [request.max_tokens + self._reasoning_tokens for request in requests]
        ending = Ending(requests, room, width, self._ends, self._decode)
        out: Tensor = self._model.generate(  # (batch, width + time)
            input_ids=ids,
            attention_mask=mask,
            generation_config=GenerationConfig(
                do_sample=False,
                max_new_tokens=max(room),
                eos_token_id=list(self._ends),
                pad_token_id=self._ends[0],
            ),
            logits_processor=[Drawing(requests)],
            stopping_criteria=[ending],
        )
        rows = out[:, width:].tolist()
        return [
            self._reply(*one)
            for one in zip(requests, prompts, (cut(r, self._ends) for r in rows), room, strict=True)
        ]

    def _reply(
        self, request: ChatRequest, prompt: Sequence[int], written: tuple[list[int], bool], room: int
    ) -> ChatReply:
        tokens, ended = written
        text = without_thoughts(self._decode(tokens[:room]))
        stops = [text.index(stop) for stop in request.stop if stop in text]
        reason = "stop" if stops or (ended and len(tokens) <= room) else "length"
        usage = Usage(len(prompt), min(len(tokens), room))
        return ChatReply(text[: min(stops)].strip() if stops else text, usage, reason, self.version)

    # ---- choosing --------------------------------------------------------------------------------------------------

    def choose_batch(self, requests: Sequence[ChoiceRequest]) -> list[Choice]:
        """Score every candidate as the next message, and draw one by its length-normalised probability.

        Raises:
            UsageError: a request has no candidates, or one twice.
            ChatTooLong: a chat is too long for the model.
        """
        with self._lock, torch.inference_mode():
            return [self._choose(request) for request in requests]

    def _choose(self, request: ChoiceRequest) -> Choice:
        if not request.candidates or len(set(request.candidates)) < len(request.candidates):
            raise UsageError("choice decoding needs at least one candidate, and each of them once.")
        said = [[*self._template.encode(text), self._template.end] for text in request.candidates]
        prompt = self._prompt(request, max(map(len, said)))
        scores = self._scores(prompt, said).cpu().numpy()
        index = draw(scores, request.temperature, stream(request.seed, "choice"))
        usage = Usage(len(prompt) + sum(map(len, said)), len(said[index]))
        return Choice(index, tuple(float(score) for score in scores), usage)

    def _scores(self, prompt: Sequence[int], said: Sequence[Sequence[int]]) -> Tensor:
        """Mean log-probability a token of each continuation, (candidates,). The prompt is read once for all."""
        first = self._model(input_ids=torch.tensor([prompt], device=self._device), use_cache=True)
        found = []
        for start in range(0, len(said), self._batch_size):
            part = said[start : start + self._batch_size]
            last = len(said) <= self._batch_size
            cache = first.past_key_values if last else self._again(prompt)
            cache.batch_repeat_interleave(len(part))
            lengths = torch.tensor([len(one) for one in part], device=self._device)
            width = int(lengths.max())
            ids = torch.tensor([[*one, *[0] * (width - len(one))] for one in part], device=self._device)
            real = torch.arange(width, device=self._device) < lengths[:, None]  # (candidates, width)
            seen = torch.ones(len(part), len(prompt), dtype=torch.long, device=self._device)
            mask = torch.cat([seen, real.long()], dim=1)
            rest = self._model(input_ids=ids, attention_mask=mask, past_key_values=cache).logits
            before = first.logits[:, -1:].expand(len(part), 1, -1)
            logprobs = torch.cat([before, rest[:, :-1]], dim=1).double().log_softmax(-1)
            picked = logprobs.gather(-1, ids[..., None])[..., 0]  # (candidates, width)
            found.append((picked * real).sum(1) / lengths)
        return torch.cat(found)

    def _again(self, prompt: Sequence[int]) -> Any:
        """Another cache of the prompt: the first one grows with the candidates that were read after it."""
        return self._model(
            input_ids=torch.tensor([prompt], device=self._device), use_cache=True
        ).past_key_values

    # ---- both ------------------------------------------------------------------------------------------------------

    def _prompt(self, request: ChatRequest | ChoiceRequest, room: int) -> list[int]:
        tokens = self._template.tokens(request.messages)
        longest = int(getattr(self._model.config, "max_position_embeddings", 0) or 0)
        if longest and len(tokens) + room > longest:
            raise ChatTooLong(
                f"a chat of {len(tokens) + room} tokens (its reply included) is too long for {self.name}: shorten it "
                f"to {longest}."
            )
        return tokens

    def _batches(self, prompts: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """Indices of prompts that go together: neighbours in length, so that little is padded."""
        order = sorted(range(len(prompts)), key=lambda index: (len(prompts[index]), index))
        for start in range(0, len(order), self._batch_size):
            yield order[start : start + self._batch_size]

    def _left_padded(self, prompts: Sequence[Sequence[int]], width: int) -> tuple[Tensor, Tensor]:
        """Ids and mask, (batch, width)."""
        pad = self._ends[0]
        ids = [[pad] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        return torch.tensor(ids, device=self._device), torch.tensor(mask, device=self._device)

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True))


def _device(name: str) -> torch.device:
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"there is no device '{name}' for a model here ({reason}).") from error
    return device


def _load(name: str, where: str, dtype: str, device: torch.device) -> tuple[Any, Any]:
    """Tokenizer and model.

    Raises:
        ModelUnavailable: it is not there, is no such model, or does not fit into memory.
    """
    kind = dtype if dtype == "auto" else getattr(torch, dtype)
    try:
        tokenizer = AutoTokenizer.from_pretrained(where, trust_remote_code=False)
        model: Any = AutoModelForCausalLM.from_pretrained(
            where, dtype=kind, trust_remote_code=False, use_safetensors=True
        )
        return tokenizer, model.to(device).eval()
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelUnavailable(
            f"chat model 'hf:{name}' cannot be loaded ({type(error).__name__}: {reason}). Give a folder with a model "
            "in safetensors and its tokenizer, or an id of the Hugging Face hub; without a network, one that was "
            "downloaded before."
        ) from error


def _fingerprint(folder: Path, config: Any) -> str:
    """What tells these weights from others: the hub's commit, or a hash over a folder's files' ends and sizes."""
    commit = getattr(config, "_commit_hash", None)
    if commit:
        return str(commit)[:12]
    state = hashlib.sha256()
    for path in sorted([*folder.glob("*.safetensors"), *folder.glob("*.json"), *folder.glob("*.jinja")]):
        with path.open("rb") as file:
            state.update(f"{path.name} {path.stat().st_size} ".encode())
            state.update(file.read(_EDGE))
            file.seek(max(0, path.stat().st_size - _EDGE))
            state.update(file.read(_EDGE))
    return f"sha256:{state.hexdigest()[:12]}"
