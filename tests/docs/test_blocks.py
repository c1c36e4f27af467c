"""The reader of code blocks itself: a page whose code is wrong must fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import read_blocks

ROOT = Path(__file__).resolve().parents[2]


def run_page(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "tests.docs.run_page", str(page)]
    return subprocess.run(
        command,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )


def test_reads_language_flags_file_and_line() -> None:
    text = (
        "a\n\n```python\nx = 1\n```\n\n- b\n\n  ```bash no-run\n  echo hi\n  ```\n\n"
        "```toml\n# suite.toml\na = 1\n```\n"
    )
    python, bash, toml = read_blocks(text)
    assert (python.language, python.code, python.line, python.run, python.file) == (
        "python",
        "x = 1\n",
        4,
        True,
        None,
    )
    assert (bash.language, bash.code, bash.run) == ("bash", "echo hi\n", False)
    assert toml.file == "suite.toml"


def test_blocks_share_a_namespace_and_a_folder(tmp_path: Path) -> None:
    page = (
        "```python\nx = 2\n```\n```python\n# mod.py\nY = 3\n```\n```bash\necho 5 > z\n```\n"
        "```python\nimport mod, pathlib\nassert x * mod.Y * int(pathlib.Path('z').read_text()) == 30\n```\n"
    )
    done = run_page(page, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", ["```python\nassert 1 == 2\n```\n", "```bash\nfalse\n```\n"])
def test_a_failing_block_fails_the_page_and_names_its_line(code: str, tmp_path: Path) -> None:
    done = run_page(f"text\n\n{code}", tmp_path)
    assert done.returncode != 0
    assert "page.md" in done.stderr
    assert "4" in done.stderr


def test_a_block_that_is_not_run_is_not_run(tmp_path: Path) -> None:
    assert run_page("```python no-run\nraise SystemExit(3)\n```\n", tmp_path).returncode == 0
