"""An agent behind HTTP: anybody's server, in any language.

Each turn is one ``POST`` with the JSON ``{"task": id, "seed": int, "brief": str, "dialogue": [{"speaker": 0|1,
"text": str}, …]}`` (speaker 0 is the agent). The reply is ``{"text": str}``, with ``tokens_in``, ``tokens_out`` and
``cost_usd`` if the server likes. The dialogue is sent whole, so the server need not remember anything.

Blame: no connection, a timeout, a reply that breaks off, and the statuses 429, 502, 503 and 504 are the network's fault
(tried again, then the episode is unscored); every other bad status and every malformed reply is the agent's own.
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from http.client import HTTPException, IncompleteRead
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from dialog_envs.agents.base import Usage
from dialog_envs.core.dialogue import Observation
from dialog_envs.errors import AgentError, ChatModelError
from dialog_envs.simulators.llm.redact import redact, redact_url, url_secrets

__all__ = ["HttpAgent"]

_BUSY = frozenset({429, 502, 503, 504})
_LARGEST_REPLY = 1 << 20


class HttpAgent:
    """An agent that a server plays.

    Args:
        url: where to post to. A name and password in it are sent as basic authentication, and shown nowhere.
        task: the task; its id is sent along.
        timeout: seconds to wait for a reply.
        attempts: how often to try while the server is busy or away.
        longest_wait: most seconds between two attempts.
    """

    concurrency = 8

    def __init__(
        self,
        url: str,
        *,
        task: Any = None,
        timeout: float = 60.0,
        attempts: int = 4,
        longest_wait: float = 8.0,
    ) -> None:
        self.url = redact_url(url)
        self._address, self._login = _without_login(url)
        self._secrets = url_secrets(url)
        self._task = str(getattr(task, "id", ""))
        self._timeout = timeout
        self._attempts = attempts
        self._longest_wait = longest_wait
        self._seed = 0
        self._usage = Usage()

    def start(self, brief: str, seed: int) -> None:
        """A new episode: the seed is sent with each turn."""
        self._seed = seed
        self._usage = Usage()

    def act(self, observation: Observation) -> str:
        """The server's utterance.

        Raises:
            ChatModelError: the server is away or busy, after all attempts.
            AgentError: it answered with an error, or not with ``{"text": str}``.
        """
        question = {
            "task": self._task,
            "seed": self._seed,
            "brief": observation["brief"],
            "dialogue": [
                {"speaker": int(turn["speaker"]), "text": turn["text"]} for turn in observation["dialogue"]
            ],
        }
        retry = Retrying(
            stop=stop_after_attempt(self._attempts),
            wait=wait_random_exponential(multiplier=0.3, max=self._longest_wait),
            retry=retry_if_exception_type(ChatModelError),
            reraise=True,
        )
        return retry(self._ask, json.dumps(question).encode())

    def usage(self) -> Usage:
        """What the server says it used since :meth:`start`."""
        return self._usage

    def _ask(self, body: bytes) -> str:
        headers = {"Content-Type": "application/json", **self._login}
        request = urllib.request.Request(self._address, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as reply:
                raw = reply.read(_LARGEST_REPLY + 1)
                if reply.length and len(raw) <= _LARGEST_REPLY:
                    raise IncompleteRead(raw, reply.length)
        except urllib.error.HTTPError as error:
            with error:
                if error.code in _BUSY:
                    raise ChatModelError(
                        f"the agent's server at {self.url} is busy (status {error.code})."
                    ) from error
                raise AgentError(
                    f"the agent's server at {self.url} answered with status {error.code}."
                ) from error
        except (OSError, HTTPException) as error:  # timeouts, no connection, and replies that break off
            reason = redact(str(getattr(error, "reason", error)), *self._secrets)
            raise ChatModelError(
                f"no reply from the agent's server at {self.url}: {reason}. Is it running?"
            ) from error
        return self._read(raw)

    def _read(self, raw: bytes) -> str:
        if len(raw) > _LARGEST_REPLY:
            raise AgentError(
                f"the agent's server at {self.url} replied with more than {_LARGEST_REPLY} bytes."
            )
        try:
            reply = json.loads(raw)
            text = reply["text"]
            spent = Usage(
                int(reply.get("tokens_in", 0)),
                int(reply.get("tokens_out", 0)),
                float(reply.get("cost_usd", 0.0)),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise AgentError(
                f'the agent\'s server at {self.url} did not reply with {{"text": …}}.'
            ) from error
        if not isinstance(text, str):
            raise AgentError(f"the agent's server at {self.url} replied with a text that is no string.")
        self._usage = self._usage + spent
        return text


def _without_login(url: str) -> tuple[str, dict[str, str]]:
    """The address without name and password, and the header that carries them."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, {}
    encoded = base64.b64encode(unquote(login).encode()).decode()
    return urlunsplit(parts._replace(netloc=host)), {"Authorization": f"Basic {encoded}"}
