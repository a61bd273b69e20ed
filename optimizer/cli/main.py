"""The command line: the front door. Every verb of the program, by its name.

A verb's module, and the libraries that it brings, are imported when the verb is called: a list of what there is, or a
check of tables, does not wait for the solver and the maps.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from contextvars import copy_context
from functools import cache, wraps
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand

from optimizer.cli.start import STOPPED

VERBS: dict[str, tuple[str, str]] = {
    "demo": ("planning:demo_command", "Write the fictional demonstration county and make its plan. 生成虚构示例县及其方案。"),
    "check": ("data:check_command", "List every problem in a county's files with the fix. 检查数据并逐条列出问题。"),
    "show": ("showing:show_command", "Show a county's tables as they are read, or the norms in force. 查看数据表或现行规则。"),
    "template": ("data:template_command", "Write a workbook to fill in: settings, scenario, tables, with drop-downs and notes. 生成填报工作簿。"),
    "audit": ("auditing:audit_command", "Where the county stands today: indicators, CVs, who passes. 现状评估。"),
    "plan": ("planning:plan_command", "Make the allocation plan with its bound, as a dossier. 生成配置方案。"),
    "evaluate": ("plans:evaluate_command", "Judge a plan edited by hand: every edit, what breaks, measures before and after. 评估手工修改的方案。"),
    "compare": ("plans:compare_command", "Two plans: decisions that differ, measures; with --out causes and maps too. 比较两个方案。"),
    "replay": ("plans:replay_command", "Make a recorded plan again and say whether it is the same. 按记录重算方案。"),
    "pictures": ("finished.picturing:pictures_command", "Every view of a plan's map as a PNG, made by an installed browser without the network. 方案地图各视图图片。"),
    "budget": ("studies.budgeting:budget_command", "What it costs at least that every school passes, or why no money is enough. 达标最低经费。"),
    "explain": ("explaining:explain_command", "Why a request is impossible, or why this school and not that one. 解释不可行原因或学校取舍。"),
    "why": ("questioning:why_command", "Why the plan decides as it does about a school or village, and what would flip it. 方案为什么这样决定。"),
    "correct": ("questioning:correct_command", "Check a correction sheet and write a corrected copy of the county, with a trail. 核对更正表并生成更正后的县数据。"),
    "alternatives": ("studies.alternatives:alternatives_command", "Different plans that are nearly as good. 备选方案。"),
    "trades": ("studies.trading:trades_command", "What each goal of a plan could gain if the others gave up a few per cent. 各目标之间的取舍。"),
    "frontier": ("studies.budgets:frontier_command", "What each extra yuan buys: plans and proven bounds over the budget. 预算前沿。"),
    "stress": ("studies.stressing:stress_command", "How a plan fares in many futures, and when it fails. 方案压力测试。"),
    "robust": ("studies.robust:robust_command", "Decisions in common for many futures, and their price. 稳健方案。"),
    "province": ("studies.province:province_command", "A budget split among many counties, beside equal parts. 省级经费分配。"),
    "archive": ("supervising:archive_command", "Add a year's tables and plan to the ledger of years. 年度数据和方案归档。"),
    "supervise": ("supervising:supervise_command", "What became of last year's plan: problems, rectification, what moved and why. 督导：问题清单与整改台账。"),
    "reports": ("finished.reporting:reports_command", "The twelve reports of a plan as Word documents, one by one. 逐份生成十二份报告的 Word 文档。"),
    "areas": ("data:areas_command", "Draw zones, today's catchments and walking service areas. 绘制分区、现有学区和步行服务范围。"),
}  # fmt: skip
"""Where each verb is, and its sentence in the list of verbs: the first of its own help."""


def _versions(wanted: bool) -> None:
    """Say the versions and end."""
    if wanted:
        from optimizer.versions import at_work

        typer.echo("\n".join(f"{name} {version}" for name, version in at_work().items()))
        raise typer.Exit


app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback(help="junheng 均衡: balance a county's compulsory schools. 县域义务教育资源均衡配置。")
def _before(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_versions,
            help="Versions of the program and of what it stands on. 程序及其组件的版本。",
        ),
    ] = False,
) -> None:  # fmt: skip
    """What stands before a verb."""


class Later(TyperCommand):
    """A verb of which only name and sentence are known until it is called."""

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **settings: Any) -> Any:
        """The context of the verb itself, with its own options."""
        return _verb(str(self.name)).make_context(info_name, args, *more, **settings)


@cache
def _verb(name: str) -> Any:
    """The command of a verb, its module imported."""
    alone = typer.Typer(add_completion=False)
    alone.command(name)(_apart(pkgutil.resolve_name(f"{__package__}.{VERBS[name][0]}")))
    return typer.main.get_command(alone)


def _apart(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb in a context of its own, where the terms of its county end with it, and with texts as Python's."""

    @wraps(verb)
    def run(*args: object, **kwargs: object) -> None:
        from geodata.contract.cells import texts_in_python

        texts_in_python()
        try:
            copy_context().run(verb, *args, **kwargs)
        except KeyboardInterrupt:  # once more, while the first was being answered
            _once_more(str(kwargs.get("language", "zh")))

    return run


def _once_more(language: str) -> NoReturn:
    from geodata.folder.interrupts import came_last
    from geodata.messages import say

    how = say(f"cli.how_{came_last() or 'SIGINT'}", language)
    typer.echo(say("cli.interrupted_again", language, how=how), err=True)
    raise typer.Exit(STOPPED)


def _unread() -> None:
    """In place of a verb's function in the list of verbs."""


for _name, (_, _sentence) in VERBS.items():
    app.command(_name, cls=Later, help=_sentence)(_unread)


def main() -> None:
    """Entry point of the command ``junheng``."""
    app()
