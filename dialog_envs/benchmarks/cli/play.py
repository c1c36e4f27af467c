"""``dialog-envs play``: a person in the dialogue."""

from __future__ import annotations

import json
import secrets
import sys
from enum import StrEnum
from typing import Annotated

import typer

from dialog_envs.benchmarks.cli.options import AgentArgsOption, MaxCostOption


class Role(StrEnum):
    """Whom the person plays."""

    agent = "agent"
    user = "user"


def register(app: typer.Typer) -> None:
    """Adds the command ``play`` to the application."""

    @app.command("play")
    def command(
        task: Annotated[str, typer.Argument(help="Task id.")] = "PreferenceElicitation-v0",
        role: Annotated[Role, typer.Option("--as", help="Whom you play.")] = Role.agent,
        agent: Annotated[
            str, typer.Option("--agent", "-a", help="With --as user: your opposite.")
        ] = "heuristic",
        user: Annotated[
            str, typer.Option(help="With --as agent: who plays the user: scripted, grounded, llm.")
        ] = "scripted",
        user_model: Annotated[
            str | None, typer.Option(help="The chat model behind a grounded or llm user [default: embedded].")
        ] = None,
        family: Annotated[
            str | None, typer.Option(help="User family, or typical, or hard [default: any].")
        ] = None,
        seed: Annotated[int | None, typer.Option(min=0, help="Of the episode [default: a new one].")] = None,
        agent_args: AgentArgsOption = None,
        max_cost: MaxCostOption = None,
        as_json: Annotated[
            bool, typer.Option("--json", help="Print the episode as JSON at the end.")
        ] = False,
    ) -> None:
        """Play the agent (or the user) yourself; persona and score are shown at the end."""
        import gymnasium

        from dialog_envs.agents.arguments import parse_assignments
        from dialog_envs.agents.registry import resolve_agent
        from dialog_envs.benchmarks.evaluation import checkpoint_places
        from dialog_envs.benchmarks.play import Session, play_as_agent, play_as_user
        from dialog_envs.errors import UsageError
        from dialog_envs.registration import get_task
        from dialog_envs.simulators.llm.budget import Budget, spending

        chosen, settings = get_task(task), parse_assignments(agent_args or [])
        if user == "scripted" and user_model is not None:
            raise UsageError(f"scripted users have no model: leave '{user_model}' out, or choose --user llm.")
        if role is Role.agent and settings:
            raise UsageError("--agent-args are settings of your opposite: add --as user, and an --agent.")
        number = seed if seed is not None else secrets.randbelow(2**31)
        # With --json the dialogue goes to standard error, so that standard output holds the episode alone.
        session = Session(sys.stdin, sys.stderr if as_json else sys.stdout)
        try:
            with spending(None if max_cost is None else Budget(max_cost)):
                if role is Role.user:
                    opposite = resolve_agent(agent, checkpoint_places(), settings)
                    result = play_as_user(chosen, opposite, session, seed=number, family=family)
                else:
                    options = None if user_model is None else {"model": user_model}
                    made = gymnasium.make(task, user=user, user_options=options, disable_env_checker=True)
                    result = play_as_agent(made.unwrapped, session, seed=number, family=family)
        except KeyboardInterrupt:
            typer.echo(
                f"\nA dialogue that is not finished has no score; this one was --seed {number}.", err=True
            )
            raise
        if as_json:
            sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
        else:
            typer.echo(f"Play it again with --seed {number}.", err=True)
