"""kill -9 at many points of the making of a dataset: what is lost is what was in flight, and the bytes are the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_SCRIPT = '''
import hashlib, json, os, signal, sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from dialog_envs.datasets.store import DatasetWriter
from dialog_envs.registration import get_task
from dialog_envs.simulators.imagination import imagine
from dialog_envs.simulators.imagination.journal import Journal
from dialog_envs.simulators.llm.replay import RecordingModel, ReplayModel
from tests.simulators.imagination_stub import Imaginer

folder, mode = Path(sys.argv[2]), sys.argv[3]
TASK = "PreferenceElicitation-v0"


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Dies(Imaginer):
    """Is killed while it answers."""

    die_at = 10**9

    def reply(self, request):
        if self.calls == self.die_at:
            die()
        return super().reply(request)


class Asks:
    """An agent whose turns the model writes."""

    def __init__(self, model):
        self.model = model

    def asking(self, observation, seed):
        from dialog_envs.simulators.llm import ChatRequest
        said = str(len(observation["dialogue"]))
        (reply,) = yield (ChatRequest(({"role": "user", "content": said},), seed=seed),)
        return "What kind of activity do you enjoy?" if len(said) % 2 else reply.text[:40]


def make(name, model):
    if mode == "imagine":
        imagine(TASK, folder / name, 8, 3, mode="imagine", imaginer=model, personas=3)
    else:
        imagine(TASK, folder / name, 8, 3, {"mine": 1.0, "hasty": 1.0}, speakers={"mine": Asks(model)}, critic=model)


def hashes(name):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted((folder / name).iterdir())}


class Player(Dies):
    """Also speaks as an agent."""

    def dialogue(self, request, rng):
        return "Hello there, do you like art?" if request.role == "agent" else super().dialogue(request, rng)


def killed(name, prepare):
    """A process of its own that is killed in the middle; whether it was."""
    process = os.fork()
    if process == 0:
        make(name, prepare(Player(get_task(TASK), nonsense=0.3)))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


def patched(owner, attribute, late):
    """Killed when a method is called, or when it has done its work."""
    whole = getattr(owner, attribute)

    def dies(*arguments):
        if late:
            whole(*arguments)
        die()

    def prepare(model):
        setattr(owner, attribute, dies)
        return model

    return prepare


def at(number):
    def prepare(model):
        model.die_at = number
        return model
    return prepare


through = Player(get_task(TASK), nonsense=0.3)
recording = RecordingModel(folder / "calls.sqlite", through)
make("through", recording)
recording.close()
wanted, calls = hashes("through"), through.calls
points = {str(n): at(n) for n in (1, 2, calls // 4, calls // 2, calls - 1, calls)}
points |= {
    "before a journal's line": patched(Journal, "add", False),
    "after it": patched(Journal, "add", True),
    "before the dataset is renamed": patched(DatasetWriter, "_close_shard", True),
    "before the journal is deleted": patched(Journal, "delete", False),
}
found = []
for point, prepare in points.items():
    name = "at " + point
    was_killed = killed(name, prepare)
    again = Player(get_task(TASK), nonsense=0.3)
    make(name, again)
    done = int(point) - 1 if point.isdigit() else None
    found.append({
        "point": point, "killed": was_killed, "same": hashes(name) == wanted, "asked": again.calls, "done": done,
        "left": sorted(path.name for path in folder.glob(f".{name}*")),
    })
replay = ReplayModel(folder / "calls.sqlite")
make("replayed", replay)
print(json.dumps({"calls": calls, "points": found, "replayed": hashes("replayed") == wanted}))
'''


@pytest.mark.skipif(sys.platform == "win32", reason="fork and kill")
@pytest.mark.parametrize("mode", ["imagine", "rollout"])
def test_killed_at_many_points(mode: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", _SCRIPT, str(ROOT), str(tmp_path), mode]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout.splitlines()[-1])
    assert found["replayed"], "the same seed and a recording give the same bytes"
    assert len(found["points"]) == 10 and found["calls"] > 20
    for point in found["points"]:
        assert point["killed"] and point["same"], point
        assert point["left"] == [], "what killed processes left is cleared away"
        if point["done"] is not None:
            assert point["asked"] == found["calls"] - point["done"], "no reply is asked for twice"
        else:
            assert point["asked"] <= found["calls"]
    assert found["points"][-2]["asked"] == 0, "all was made: only the files had to be written"
