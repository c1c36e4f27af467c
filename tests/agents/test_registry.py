"""Agents by name: every form of a name, and one clear sentence for every mistake."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from dialog_envs.agents import registry
from dialog_envs.agents.base import Usage, as_agent
from dialog_envs.agents.registry import agent_names, resolve_agent
from dialog_envs.errors import AgentError, ChatModelError, CheckpointError, UnknownAgent

OBSERVATION: Any = {"brief": "Lisbon", "dialogue": ({"speaker": 1, "text": "Hi!"},)}

AGENT_FILE = '''
from dataclasses import dataclass

@dataclass
class Config:
    word: str = "hello"

class MyAgent:
    def __init__(self, task=None):
        self.task = task
    def start(self, brief, seed):
        self.seed = seed
    def act(self, observation):
        return f"{Config().word} {self.task} {self.seed}"

def function(observation):
    """Says how long the dialogue is."""
    return str(len(observation["dialogue"]))

instance = MyAgent("mine")
not_an_agent = 7
'''


@pytest.fixture
def agent_file(tmp_path: Path) -> Path:
    path = tmp_path / "my_agent.py"
    path.write_text(AGENT_FILE)
    return path


def test_class_in_a_file_gets_the_task(agent_file: Path) -> None:
    spec = resolve_agent(f"{agent_file}:MyAgent")
    agent = spec.build("a task")
    agent.start("", 5)
    assert (spec.name, spec.shared) == ("MyAgent", False)
    assert agent.act(OBSERVATION) == "hello a task 5"
    assert spec.build("t") is not agent


def test_function_and_instance_in_a_file(agent_file: Path) -> None:
    function = resolve_agent(f"{agent_file}:function")
    assert function.build(None).act(OBSERVATION) == "1"
    assert not function.shared
    instance = resolve_agent(f"{agent_file}:instance")
    assert instance.shared
    assert instance.build(None) is instance.build(None)


def test_own_label(agent_file: Path) -> None:
    assert resolve_agent(f"mine={agent_file}:MyAgent").name == "mine"
    assert resolve_agent("lazy=random").name == "lazy"
    assert resolve_agent("prompted:openai:gpt-4o").name == "prompted:openai:gpt-4o"


def test_fingerprint_follows_the_file(agent_file: Path) -> None:
    before = resolve_agent(f"{agent_file}:MyAgent").fingerprint
    assert resolve_agent(f"{agent_file}:MyAgent").fingerprint == before
    agent_file.write_text(AGENT_FILE + "\n# changed\n")
    assert resolve_agent(f"{agent_file}:MyAgent").fingerprint != before


def test_module_attribute() -> None:
    assert resolve_agent("json:dumps").build(None).act(OBSERVATION).startswith('{"brief"')


@pytest.mark.parametrize(
    ("text", "error", "part"),
    [
        ("heuristc", UnknownAgent, "Did you mean 'heuristic'?"),
        ("no_such_module:Agent", UnknownAgent, "no module named 'no_such_module'"),
        ("missing.py:Agent", AgentError, "no file 'missing.py'"),
        ("json:nothing", UnknownAgent, "unknown agent 'nothing'"),
        ("ilql", CheckpointError, "dialog-envs train ilql"),
        ("ilql=no/such/folder", CheckpointError, "no/such/folder"),
        ("json:__doc__", AgentError, "is no agent"),
        ("random:argument", AgentError, ""),
    ],
)
def test_mistakes_are_one_sentence(text: str, error: type[Exception], part: str) -> None:
    with pytest.raises(error) as caught:
        resolve_agent(text).build(None)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_attribute_mistake_lists_what_the_file_has(agent_file: Path) -> None:
    with pytest.raises(UnknownAgent, match="Did you mean 'MyAgent'"):
        resolve_agent(f"{agent_file}:MyAgnt")


def test_file_that_does_not_import(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import nothing_of_that_name\n")
    with pytest.raises(AgentError, match="cannot be imported: ModuleNotFoundError"):
        resolve_agent(f"{tmp_path}/broken.py:Agent")


def test_plug_in_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("mine", "no_such_package.agents:Mine", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "_plugins", lambda: {"mine": point})
    with pytest.raises(AgentError, match=r"agent 'mine' cannot be loaded from no_such_package.agents:Mine"):
        resolve_agent("mine")


def test_checkpoint_fingerprint_follows_the_weights(tmp_path: Path) -> None:
    folder = _checkpoint(tmp_path / "checkpoints" / "ilql", "Tea-v0")
    (folder / "model.safetensors").write_bytes(b"1")
    first = resolve_agent("ilql", [tmp_path / "checkpoints"])
    (folder / "model.safetensors").write_bytes(b"2")
    second = resolve_agent(f"ilql={folder}")
    assert (first.name, second.name) == ("ilql", "ilql")
    assert first.fingerprint != second.fingerprint


def test_a_learned_agent_has_a_checkpoint_for_each_task(tmp_path: Path) -> None:
    for task in ("Tea-v0", "Coffee-v0"):
        _checkpoint(tmp_path / task / "ilql", task)
    spec = resolve_agent("ilql", [tmp_path / "elsewhere", tmp_path])
    assert spec.elsewhere is not None and resolve_agent(spec.elsewhere).fingerprint == spec.fingerprint
    assert spec.fingerprint != resolve_agent(f"ilql={tmp_path / 'Tea-v0' / 'ilql'}").fingerprint
    with pytest.raises(
        CheckpointError, match=r"no checkpoint for Cocoa-v0 .*only for Coffee-v0, Tea-v0.*--task"
    ):
        spec.build(SimpleNamespace(id="Cocoa-v0"))


def _checkpoint(folder: Path, task: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "training.json").write_text(json.dumps({"format": 1, "task": task}))
    return folder


def test_as_agent_refuses_classes_and_halves() -> None:
    with pytest.raises(AgentError, match="is a class"):
        as_agent(dict)
    with pytest.raises(AgentError, match="no start"):
        as_agent(type("Half", (), {"act": lambda self, observation: ""})())


def test_batch_only_agent_acts_alone() -> None:
    class OnlyBatch:
        def act_batch(self, observations: Any, seeds: Any) -> list[str]:
            return [f"{len(observations)}/{seed}" for seed in seeds]

    agent = as_agent(OnlyBatch())
    agent.start("", 9)
    assert agent.act(OBSERVATION) == "1/9"


def test_names_hold_the_built_in_ones() -> None:
    assert {"random", "oracle", "ilql"} <= set(agent_names())


def test_usage_adds_up() -> None:
    assert Usage(1, 2, 0.5) + Usage(3, 4, 0.25) == Usage(4, 6, 0.75)
    assert (Usage(3, 4, 1.0) - Usage(1, 1, 0.5)).tokens == 5


class _Server(http.server.BaseHTTPRequestHandler):
    statuses: ClassVar[list[int]] = []
    body: ClassVar[bytes] = b""
    broken_off: ClassVar[bool] = False

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = type(self).statuses.pop(0) if type(self).statuses else 200
        answer = type(self).body or json.dumps({"text": f"{question['seed']}", "tokens_out": 3}).encode()
        self.send_response(status)
        if type(self).broken_off:
            self.send_header("Content-Length", str(len(answer) + 1))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[str]:
    _Server.statuses, _Server.body, _Server.broken_off = [], b"", False
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}/act"
    httpd.shutdown()
    httpd.server_close()


def _ask(url: str) -> str:
    from dialog_envs.agents.remote import HttpAgent

    agent = HttpAgent(url, attempts=3, longest_wait=0.01)
    agent.start("", 11)
    text = agent.act(OBSERVATION)
    assert agent.usage().tokens_out == 3
    return text


def test_http_agent_retries_a_busy_server(server: str) -> None:
    _Server.statuses = [503, 429, 200]
    assert _ask(server) == "11"


def test_http_blame(server: str) -> None:
    _Server.statuses = [500]
    with pytest.raises(AgentError, match="status 500"):
        _ask(server)
    _Server.statuses = [503] * 3
    with pytest.raises(ChatModelError, match="busy"):
        _ask(server)
    _Server.body = b"not json"
    with pytest.raises(AgentError, match="did not reply"):
        _ask(server)
    _Server.broken_off = True
    with pytest.raises(ChatModelError, match="IncompleteRead"):
        _ask(server)
    with pytest.raises(ChatModelError, match="Is it running"):
        _ask("http://127.0.0.1:9/act")


def test_http_name(server: str) -> None:
    spec = resolve_agent(server)
    assert spec.name == server.removeprefix("http://")
    agent = spec.build(None)
    agent.start("", 4)
    assert agent.act(OBSERVATION) == "4"
