"""A key as sentinel: whatever goes wrong, it stands in no error, log, repr, recording or output, raw or encoded."""

from __future__ import annotations

import base64
import gc
import io
import logging
import re
import traceback
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialog_envs.errors import DialogEnvsError, UsageError
from dialog_envs.simulators.llm import ChatRequest, ChoiceRequest, get_chat_model
from dialog_envs.simulators.llm.budget import Budget, spending
from dialog_envs.simulators.llm.endpoint import _endpoints
from dialog_envs.simulators.llm.redact import HIDDEN, redact, redact_url, url_secrets
from tests.faults.chat_server import Answer, completion, error, serve

KEY = "k3y/sentinel+7f4a=91c2 d8e3&z"
SHORT = "sentinel"


def forms(secret: str) -> Iterator[str]:
    """Ways in which it might get out, but for base64."""
    yield secret
    yield urllib.parse.quote(secret, safe="")
    yield urllib.parse.quote_plus(secret)
    yield secret.encode().hex()


def in_base64(secret: str) -> Iterator[str]:
    """Alone, and in the middle of something longer."""
    for before in ("", "u", "me:", "user:", "Bearer "):
        for after in ("", "!", "!!"):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                yield encode(f"{before}{secret}{after}".encode()).decode()


def assert_clean(text: str) -> None:
    for form in forms(KEY):
        assert form not in text, form
    assert SHORT not in text
    for word in set(re.findall(r"[A-Za-z0-9+/_-]{10,}", text)):
        for start in range(4):
            letters = word[start:].translate(str.maketrans("-_", "+/"))
            letters = letters[: len(letters) // 4 * 4]
            assert SHORT.encode()[1:-1] not in base64.b64decode(letters), word


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that any library logs, debug messages included."""
    text, handler = io.StringIO(), logging.StreamHandler()
    handler.setStream(text)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    for name in ("openai", "httpx2", "httpcore2", "aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)
    for name in ("openai", "httpx2", "httpcore2", "aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(logging.NOTSET)


QUOTED = [
    KEY,
    urllib.parse.quote_plus(KEY),
    base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    KEY.encode().hex(),
]
ANSWERS = [
    Answer(401, error(f"Incorrect API key provided: {' '.join(QUOTED)}")),
    Answer(400, error(f"bad header Authorization: Bearer {KEY}")),
    Answer(500, f"<html>{' '.join(QUOTED)}</html>".encode()),
    Answer(429, error(KEY, "insufficient_quota")),
    Answer(404, error(f"no model for {QUOTED[2]}")),
    Answer(body=b'{"error": {"message": "' + KEY.encode() + b'", "code": 403}}'),
    Answer(body=b"<html>"),
    Answer(drop=True),
    Answer(),
]


@pytest.mark.parametrize("transport", ["sdk", "fast"])
def test_the_key_gets_out_nowhere(
    transport: str,
    tmp_path: Path,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if transport == "fast":
        pytest.importorskip("orjson")
    monkeypatch.setenv("SOME_KEY", KEY)
    shown = []
    asked = (
        ChatRequest(({"role": "user", "content": "hi"},)),
        ChatRequest(({"role": "user", "content": "hi"},), schema={"type": "object"}),
        ChoiceRequest(({"role": "user", "content": "hi"},), ("a", "b")),
    )
    for answer in ANSWERS:
        with serve(lambda *_, answer=answer: answer) as server:  # type: ignore[misc]
            spec = f"openai:m?base_url={server.url}&api_key_env=SOME_KEY&attempts=2&transport={transport}"
            model = get_chat_model(f"record:{tmp_path / 'f.sqlite'}={spec}")
            shown += [repr(model), model.name, model.version, repr(vars(model).get("_inner"))]
            for _, result in model.each(asked):
                shown.append(repr(result))
                if isinstance(result, Exception):
                    shown += traceback.format_exception(result)
            assert server.headers[0]["authorization"] == f"Bearer {KEY}", "it is sent, though"
    with spending(Budget(0.0)), pytest.raises(DialogEnvsError) as caught:
        get_chat_model("openai:m?base_url=https://a.example/v1&api_key_env=SOME_KEY").complete(asked[:1])  # type: ignore[arg-type]
    shown.append(str(caught.value))
    shown += [repr(one) for one in _endpoints.values()]
    del model
    gc.collect()
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()).decode("latin-1")
    out = "".join(capfd.readouterr())
    for text in ("\n".join(shown), files, log.getvalue(), out):
        assert_clean(text)
    assert HIDDEN in "".join(shown) and "hi" in files


def test_a_password_and_a_token_in_the_address_stay_there(log: io.StringIO) -> None:
    with serve(lambda *_: Answer(500, error("at http://u:s3cret-pass@h/?token=t0ken%20x"))) as server:
        host = server.url.removeprefix("http://")
        address = f"http://u:s3cret-pass@{host}?token=t0ken%20x"
        model = get_chat_model("openai:m", base_url=address, attempts=1)
        with pytest.raises(DialogEnvsError) as caught:
            model.complete([ChatRequest(({"role": "user", "content": "hi"},))])
    shown = str(caught.value) + repr(model) + model.version
    assert "s3cret" not in shown and "t0ken" not in shown


def test_a_key_is_no_option() -> None:
    for name in ("api_key", "key", "token", "password", "api-key".replace("-", "")):
        with pytest.raises(UsageError, match="api_key_env") as caught:
            get_chat_model(f"openai:m?{name}={SHORT}")
        assert SHORT not in str(caught.value)
    with pytest.raises(UsageError, match="password") as caught:
        get_chat_model(f"openai:m?base_url=http://me:{SHORT}@localhost/v1")
    assert SHORT not in str(caught.value)


def test_redaction_of_encoded_forms() -> None:
    for form in (*forms(KEY), *in_base64(KEY)):
        assert_clean(redact(f"before {form} after", KEY))
    assert redact("nothing to hide", KEY, "", "ab") == "nothing to hide"
    assert redact("key sk-proj-abc123def and Bearer xyz") == f"key {HIDDEN} and Bearer {HIDDEN}"
    assert url_secrets("http://u:p%40ssword@h/v1?a=long+value&b=x") == ("p@ssword", "long+value")
    assert redact_url("http://u:p@h:1/v1?x=y#z") == "http://h:1/v1"


def test_a_reply_that_holds_a_key_is_the_models_own_affair() -> None:
    """Text of the dialogue is not changed: only what this package itself says is cleaned."""
    with serve(lambda *_: Answer(body=completion("sk-this-is-dialogue"))) as server:
        model = get_chat_model(f"openai:m?base_url={server.url}")
        assert (
            model.complete([ChatRequest(({"role": "user", "content": "hi"},))])[0].text
            == "sk-this-is-dialogue"
        )
