"""Sphinx settings: Markdown pages, no network, warnings are errors in CI."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

_project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = _project["name"]
release = version = _project["version"]
author = "the dialog-envs authors"
project_copyright = "2026, the dialog-envs authors"

extensions = ["myst_parser", "docstring_page"]
exclude_patterns = ["_build", "_ext"]
suppress_warnings: list[str] = []
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"dialog-envs {version}"
html_static_path = ["_static"]
html_copy_source = False
html_show_sphinx = False
