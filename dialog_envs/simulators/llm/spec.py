"""Chat models as text: ``KIND:ARGUMENT?OPTION=VALUE&OPTION=VALUE``.

Options stand behind the last question mark, as in a URL: ``openai:gpt-5-mini?transport=fast&max_in_flight=256`` or
``openai:my-model?base_url=http://127.0.0.1:8000/v1``. A value's ``&``, ``#`` and ``%`` are written ``%26``, ``%23`` and
``%25``. The same options may be given to :func:`dialog_envs.simulators.llm.get_chat_model` as keyword arguments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from dialog_envs.errors import UnknownName, UsageError

_OPTIONS = re.compile(r"[A-Za-z_]\w*=[^&]*(?:&[A-Za-z_]\w*=[^&]*)*")
_SLIP = re.compile(r"[?&]((?:api[_-]?)?key|token|secret|password|authorization)=", re.IGNORECASE)


class UnknownOption(UnknownName, UsageError):
    """A chat model has no option of that name."""

    kind = "option of a chat model"


@dataclass(frozen=True, slots=True)
class Spec:
    """A chat model's name, taken apart.

    Attributes:
        kind: ``openai``, ``hf`` …
        argument: what stands behind the colon, without the options.
        options: texts by name.
    """

    kind: str
    argument: str
    options: Mapping[str, str]


def parse_spec(text: str) -> Spec:
    """Take a chat model's name apart. A question mark that no options follow belongs to the argument.

    Raises:
        UsageError: an option is given twice, or would hold a key.
    """
    if slip := _SLIP.search(text):
        _refuse_secret(slip[1])
    head, mark, tail = text.rpartition("?")
    if not mark or not _OPTIONS.fullmatch(tail):
        head, tail = text, ""
    kind, _, argument = head.partition(":")
    options: dict[str, str] = {}
    for assignment in filter(None, tail.split("&")):
        name, _, value = assignment.partition("=")
        if name in options:
            raise UsageError(f"the option '{name}' of a chat model is given twice.")
        options[name] = unquote(value)
    for name in options:
        if _holds_login(options[name]):
            raise UsageError(
                f"the option {name} of a chat model holds a password, which does not belong into a text that is kept: "
                "put the address into the variable OPENAI_BASE_URL."
            )
    return Spec(kind, argument, options)


def _holds_login(value: str) -> bool:
    """Whether an address names somebody, or has something else than a number for its port: half of a password, say."""
    if "://" not in value:
        return False
    try:
        parts = urlsplit(value)
        return "@" in parts.netloc or (parts.port is None and parts.netloc.endswith(":"))
    except ValueError:
        return True


def _refuse_secret(name: str) -> None:
    raise UsageError(
        f"'{name}' is no option of a chat model, because keys do not belong into texts that are kept: put the key into "
        "a variable, and name the variable with api_key_env=NAME."
    )


def typed(
    options: Mapping[str, Any], kinds: Mapping[str, Callable[[str], Any]], model: str
) -> dict[str, Any]:
    """Options with their texts read: ``{"timeout": "5"}`` → ``{"timeout": 5.0}``. Other values stay as they are.

    Args:
        options: as given, in the text or as keyword arguments.
        kinds: name of each option → how its text is read.
        model: for messages.

    Raises:
        UnknownOption: there is no such option; the message lists what there is.
        UsageError: a text cannot be read.
    """
    read: dict[str, Any] = {}
    for name, value in options.items():
        if name not in kinds:
            raise UnknownOption(name, kinds, f"These are the options of '{model}'.")
        try:
            read[name] = kinds[name](value) if isinstance(value, str) else value
        except (ValueError, TypeError):
            raise UsageError(f"the option {name} of '{model}' cannot be {value!r:.80}.") from None
    return read


def flag(text: str) -> bool:
    """``yes``/``no`` and the like.

    Raises:
        ValueError: neither.
    """
    words = {
        "1": True,
        "yes": True,
        "true": True,
        "on": True,
        "0": False,
        "no": False,
        "false": False,
        "off": False,
    }
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def fields(text: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ValueError: it is none.
    """
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(text)
    return value
