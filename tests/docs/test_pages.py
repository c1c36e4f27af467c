"""The code in README and in the documentation runs, as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import pages, read_blocks, read_page

ROOT = Path(__file__).resolve().parents[2]
PAGES = pages(ROOT)
RUNNABLE = [
    page
    for page in PAGES
    if any(block.run and block.language in ("python", "bash") for block in read_blocks(read_page(page)))
]
LONGEST = 900.0
"""Seconds a page may take, on a machine that is busy with other things, too."""


COMMAND = f"""#!{sys.executable}
import sys
from dialog_envs.benchmarks.cli import main
sys.exit(main())
"""
"""The command as pip would write it, of this checkout."""


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_blocks_run(page: Path, tmp_path: Path) -> None:
    """Each page in an empty folder of its own, with the command on the path."""
    commands, work = tmp_path / "bin", tmp_path / "work"
    commands.mkdir()
    work.mkdir()
    (commands / "dialog-envs").write_text(COMMAND, encoding="utf-8")
    (commands / "dialog-envs").chmod(0o755)
    env = {
        **os.environ,
        "PATH": os.pathsep.join(
            [str(commands), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        ),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error::DeprecationWarning:dialog_envs",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.run_page", str(page)],
        cwd=work,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    assert done.returncode == 0, f"{page.relative_to(ROOT)}\n{done.stdout[-4000:]}\n{done.stderr[-6000:]}"


def test_readme_agent_is_short_and_is_what_the_command_runs() -> None:
    """The agent of one's own takes fewer than 15 lines, and README's next command evaluates that very file."""
    blocks = read_blocks((ROOT / "README.md").read_text(encoding="utf-8"))
    (agent,) = [block for block in blocks if block.file == "my_agent.py"]
    assert len(agent.code.splitlines()) < 15
    commands = [block.code for block in blocks if block.run and block.language == "bash"]
    assert any("dialog-envs eval --agent my_agent.py:MyAgent --suite quick" in code for code in commands)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_few_blocks_are_not_run(page: Path) -> None:
    """``no-run`` is for what installs or takes minutes."""
    skipped = [block for block in read_blocks(read_page(page)) if not block.run]
    assert len(skipped) <= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text) + re.findall(
        r'src="(?!https?:)([^"]+)"', text
    ):
        assert (page.parent / target).exists() or (ROOT / "docs" / target).exists(), f"{page}: {target}"


def test_every_page_is_in_a_table_of_contents() -> None:
    """Sphinx says so too, as a warning; this names the page."""
    for page in PAGES[1:]:
        name = page.relative_to(ROOT / "docs").with_suffix("").as_posix()
        table = ROOT / "docs" / "index.md"
        if page.name != "index.md" and (page.parent / "index.md").is_file():
            table, name = page.parent / "index.md", page.stem
        listed = table.read_text(encoding="utf-8")
        assert name == "index" or re.search(rf"^(?:.*<)?{re.escape(name)}>?$", listed, re.MULTILINE), name
