"""What a dataset holds, told to people: figures, then sections, then Markdown, a page, or JSON."""

from __future__ import annotations

from dialog_envs.benchmarks.data_report.figures import Options, Report, make_report
from dialog_envs.benchmarks.data_report.render import markdown, page, write_report

__all__ = ["Options", "Report", "make_report", "markdown", "page", "write_report"]
