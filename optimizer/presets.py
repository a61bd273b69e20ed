"""Orders of goals that a bureau knows by name; the default is standards first (sources.md 4, objective menu)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Preset:
    """Goals in order, each with the share by which later ones may worsen it.

    Parameters
    ----------
    zh : str
        Name in Chinese; a scenario may use it or the id.
    goals : tuple of (str, float)
    """

    zh: str
    goals: tuple[tuple[str, float], ...] = field(repr=False)


PRESETS = {
    "standards_first": Preset(
        "达标优先",
        (("over_cap", 0.01), ("failing", 0.0), ("cv_excess", 0.02), ("deficit", 0.02), ("travel", 0.01), ("disruption", 0.05), ("cost", 0.0)),
    ),
    "equity_first": Preset(
        "公平优先",
        (("over_cap", 0.01), ("cv_excess", 0.02), ("deficit", 0.02), ("failing", 0.0), ("travel", 0.01), ("disruption", 0.05), ("cost", 0.0)),
    ),
    "nearest_first": Preset(
        "就近优先", (("beyond_limit", 0.0), ("travel", 0.005), ("over_cap", 0.01), ("failing", 0.0), ("cost", 0.0))
    ),
    "thrift_first": Preset("省钱优先", (("cost", 0.0), ("failing", 0.0), ("deficit", 0.02), ("disruption", 0.05))),
    "least_disruption": Preset("少折腾", (("failing", 0.0), ("disruption", 0.02), ("cost", 0.02), ("travel", 0.0))),
    "balance_first": Preset(
        "均衡优先", (("imbalance", 0.002), ("travel", 0.01), ("disruption", 0.05), ("cost", 0.0))
    ),
}  # fmt: skip
"""By id; ``balance_first`` is the official measure alone, for studies: it levels down (docs/plan.md)."""


def preset_id(name: str) -> str | None:
    """The id of a preset by id or Chinese name, None where there is none."""
    return next((i for i, p in PRESETS.items() if name in (i, p.zh)), None)
