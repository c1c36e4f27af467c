"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

UserOption = Annotated[
    str | None,
    typer.Option(help="Who plays the users: scripted, grounded, llm [default: as the suite says]."),
]
UserModelOption = Annotated[
    str | None,
    typer.Option(help="The chat model behind grounded or llm users: embedded, openai:MODEL …"),
]
TaskOption = Annotated[
    list[str] | None, typer.Option("--task", "-t", help="Only this task of the suite; repeatable.")
]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Run folder [default: runs/SUITE].")]
SplitOption = Annotated[str, typer.Option(help="report, or validation to choose settings.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print leaderboard.json.")]
CheckpointsOption = Annotated[
    Path | None,
    typer.Option(help="Folder of trained agents [default: checkpoints, here or in runs/*]."),
]
RedoOption = Annotated[
    list[str] | None,
    typer.Option(help="Score this agent afresh; 'changed': all that changed. Repeatable."),
]
AgentArgsOption = Annotated[
    list[str] | None,
    typer.Option("--agent-args", help="NAME=VALUE: a setting of the agents given; repeatable."),
]
MaxCostOption = Annotated[
    float | None, typer.Option(min=0, help="Most that model calls may cost, US dollars.")
]
AgentsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--agent",
        "-a",
        help="ilql, my_agent.py:MyAgent, module:attr, http://…, ilql=CHECKPOINT or NAME=…; repeatable. "
        "It joins the suite's own agents.",
    ),
]
