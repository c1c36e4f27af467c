"""Run the code blocks of one Markdown page in the current folder: ``python run_page.py PAGE.md``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.docs.blocks import Block, read_blocks, read_page


def run_block(block: Block, page: Path, namespace: dict[str, Any]) -> None:
    if block.file is not None:
        Path(block.file).parent.mkdir(parents=True, exist_ok=True)
        Path(block.file).write_text(block.code, encoding="utf-8")
    elif block.language == "python":
        # Blank lines in front, so that a traceback names the page's own lines.
        exec(compile("\n" * (block.line - 1) + block.code, str(page), "exec"), namespace)
    elif block.language == "bash":
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", block.code], stdin=subprocess.DEVNULL)
        if done.returncode:
            sys.exit(f"{page}:{block.line}: the commands exited with {done.returncode}\n{block.code}")


def main(page: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in read_blocks(read_page(page)):
        if block.run:
            run_block(block, page, namespace)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
