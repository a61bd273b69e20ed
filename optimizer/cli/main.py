"""The command line: the front door. Every verb of the program, by its name."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from functools import wraps

import typer

from geodata.contract.cells import texts_in_python
from optimizer.cli.analysis import alternatives_command, explain_command, frontier_command
from optimizer.cli.budgeting import budget_command
from optimizer.cli.data import areas_command, audit_command, check_command, template_command
from optimizer.cli.planning import demo_command, plan_command
from optimizer.cli.plans import compare_command, evaluate_command, replay_command
from optimizer.cli.stressing import stress_command
from optimizer.cli.supervising import archive_command, supervise_command

VERBS: dict[str, Callable[..., None]] = {
    "demo": demo_command,
    "check": check_command,
    "template": template_command,
    "audit": audit_command,
    "plan": plan_command,
    "evaluate": evaluate_command,
    "compare": compare_command,
    "replay": replay_command,
    "budget": budget_command,
    "explain": explain_command,
    "alternatives": alternatives_command,
    "frontier": frontier_command,
    "stress": stress_command,
    "archive": archive_command,
    "supervise": supervise_command,
    "areas": areas_command,
}

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    help="junheng 均衡: balance a county's compulsory schools. 县域义务教育资源均衡配置。",
)  # fmt: skip


def _apart(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb in a context of its own: the terms of its county end with it."""

    @wraps(verb)
    def run(*args: object, **kwargs: object) -> None:
        copy_context().run(verb, *args, **kwargs)

    return run


for _name, _verb in VERBS.items():
    app.command(_name)(_apart(_verb))


def main() -> None:
    """Entry point of the command ``junheng``."""
    texts_in_python()
    app()
