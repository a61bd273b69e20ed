"""The registry's rows and the page made from them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.cases import PHASES
from benchmarks.registry import CASES
from benchmarks.results import FOLDER

NAME = "registry"
KEY = ["model", "size", "way"]
WAYS = ("junheng", "linopy", "highspy", "spopt")


def kept_rows() -> pd.DataFrame:
    """Rows measured so far."""
    file = FOLDER / f"{NAME}.csv"
    return pd.read_csv(file) if file.exists() else pd.DataFrame(columns=KEY)


def keep_rows(rows: pd.DataFrame) -> None:
    """Put new rows of a way of a case in the place of its old ones; cases stay in the registry's order."""
    old = kept_rows()
    same = old.set_index(KEY).index.isin(rows.set_index(KEY).index)
    every = pd.concat([old[~same], rows]) if len(old[~same]) else rows
    place = {c.name: k for k, c in enumerate(CASES)}
    at = (every["model"] + "/" + every["size"]).map(place)
    every = every[at.notna()].assign(at=at.dropna(), way_at=every["way"].map(WAYS.index))
    every = every.sort_values(["at", "way_at"], kind="stable").drop(columns=["at", "way_at"])
    FOLDER.mkdir(exist_ok=True)
    every.round({"seconds": 4, "cpu": 4, "peak_mb": 1}).to_csv(FOLDER / f"{NAME}.csv", index=False)


def disagreements(rows: pd.DataFrame) -> list[str]:
    """Ways of one case that contradict each other or the published optimum, in words; empty if none does.

    A value below another way's bound, a referee that adds up to another value, or a published optimum that is
    below a bound or not met by a proven value.
    """
    found = []
    at = rows.drop_duplicates(["model", "size", "way", "phase"]).set_index(["model", "size", "way", "phase"])[
        "value"
    ]
    for (model, size, way, phase), value in at.dropna().items():
        stated = at.get((model, size, way, "solve"), np.nan)
        if phase == "referee" and abs(stated - value) > 1e-6 * abs(value) + 1e-6:
            found.append(f"{model}/{size}: {way} found {stated}, the referee {value}")
    solved = rows[rows["phase"].eq("solve") & rows["value"].notna()]
    for name, ways in solved.groupby(["model", "size"], sort=False):
        slack = 1e-6 * ways["value"].abs().max() + 1e-6
        if ways["value"].min() < ways["bound"].max() - slack:
            found.append(
                f"{'/'.join(name)}: a value of {ways['value'].min()} below a bound of {ways['bound'].max()}"
            )
        best = ways["published"].iloc[0]
        proven = ways[ways["status"] == "proven"]
        off = proven[(proven["value"] - best).abs() > proven["gap_asked"] * abs(best) + slack]
        if not np.isnan(best) and (len(off) or ways["bound"].max() > best + slack):
            found.append(f"{'/'.join(name)}: published {best}, not met by {', '.join(off['way'])}")
    return found


def number(value: float, digits: int = 6) -> str:
    """A figure with so many digits that count; nothing for none."""
    if not np.isfinite(value):
        return ""
    return f"{value:.{max(0, digits - len(str(int(abs(value)))))}f}" if value else "0"


def _table(text: pd.DataFrame) -> list[str]:
    """Cells by (model, size), a case a line in the registry's order."""
    lines = [f"| case | {' | '.join(text.columns)} |", f"|{'---|' * (1 + len(text.columns))}"]
    for case in CASES:
        if (case.model, case.size) in text.index:
            lines.append(f"| {case.name} | {' | '.join(text.loc[(case.model, case.size)])} |")
    return lines


def _ways(figures: pd.Series, digits: int) -> pd.DataFrame:
    """Figures by (model, size, way) as cells, a way a column."""
    wide = figures.unstack("way").reindex(columns=list(WAYS))
    return wide.map(lambda x: f"{x:.{digits}f}" if np.isfinite(x) else "")


def _side_by_side(rows: pd.DataFrame, phases: tuple[str, ...]) -> list[str]:
    """Processor seconds of some phases together."""
    text = _ways(rows[rows["phase"].isin(phases)].groupby(KEY)["cpu"].sum(), 3)
    shape = rows[rows["shape"].notna()].drop_duplicates(KEY[:2]).set_index(KEY[:2])["shape"]
    text.insert(0, "rows x columns", shape.reindex(text.index).fillna(""))
    return _table(text)


def _memory(rows: pd.DataFrame) -> list[str]:
    """Largest memory since the end of "data" when the model is inside HiGHS."""
    first, then = (rows[rows["phase"] == p].set_index(KEY)["peak_mb"] for p in ("data", "hand over"))
    return _table(_ways(then - first, 0))


def _outcome(r: pd.Series) -> str:
    if not np.isfinite(r["value"]):
        return f"none; bound {number(r['bound'])}" if np.isfinite(r["bound"]) else "none"
    gap = max(0.0, r["value"] - r["bound"]) / max(abs(r["value"]), 1e-9)
    return f"{number(r['value'])} ({100 * gap:.2g} %)"


def _method(rows: pd.DataFrame) -> list[str]:
    """The project's own way, and what it took; its value is another than a plain solve's for a county."""
    own = rows[rows["phase"] == "method"].set_index(KEY[:2])
    text = pd.DataFrame({"value (gap)": own.apply(_outcome, axis=1), "status": own["status"]})
    return _table(
        text.assign(
            **{"CPU s": own["cpu"].map("{:.2f}".format), "peak MB": own["peak_mb"].map("{:.0f}".format)}
        )
    )


def _found(rows: pd.DataFrame) -> list[str]:
    """What the phase "solve" came to: value and gap."""
    solved = rows[rows["phase"] == "solve"].set_index(KEY)
    text = solved.apply(_outcome, axis=1).unstack("way").reindex(columns=list(WAYS)).astype(object).fillna("")
    best = solved.groupby(level=KEY[:2])["published"].first()
    text.insert(0, "published", best.reindex(text.index).map(number))
    return _table(text)


def _every_row(rows: pd.DataFrame) -> list[str]:
    lines = [
        "| case | way | phase | value | bound | gap | status | s | CPU s | peak MB | +MB |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows = rows.assign(more=rows["peak_mb"] - rows.groupby(KEY)["peak_mb"].transform("first"))
    for r in rows.itertuples():
        gap = (r.value - r.bound) / max(abs(r.value), 1e-9)
        lines.append(
            f"| {r.model}/{r.size} | {r.way} | {r.phase} | {number(r.value)} | {number(r.bound)} | "
            f"{f'{100 * max(gap, 0):.2f} %' if np.isfinite(gap) else ''} | {r.status if isinstance(r.status, str) else ''} | "
            f"{number(r.seconds, 3)} | {number(r.cpu, 3)} | {number(r.peak_mb, 1)} | {f'{r.more:.0f}' if np.isfinite(r.more) else ''} |"
        )
    return lines


def page() -> list[str]:
    """The page's lines after its head."""
    rows = kept_rows()
    versions = rows.drop_duplicates(["way", "versions"]).sort_values("way")
    wrong = disagreements(rows)
    published = rows[rows["phase"].eq("solve") & rows["status"].eq("proven") & rows["published"].notna()]
    return [
        f"Made by `python -m benchmarks`; rows of {', '.join(sorted(rows['date'].unique()))}. What the phases are: docs/benchmarks.md.", "",
        *[f"- {r.way}: {r.versions}" for r in versions.itertuples()], "",
        "HiGHS with the same options for all ways: one thread, seed 0; a solve ends at the gap asked for or after "
        f"{', '.join(f'{s:g}' for s in sorted(rows['limit'].unique()))} s of processor.", "",
        "## Do they agree?", "",
        *([f"- {w}" for w in wrong] or [
            f"Yes: no value lies below another way's bound, and all {len(published)} solves that were proven where an optimum "
            "is published have that value."
        ]), "",
        "## What a plain solve found: value (gap)", "",
        *_found(rows), "",
        "## Stating and handing over, processor seconds", "",
        *_side_by_side(rows, ("build", "hand over")), "",
        "## The same, MB more than with the data alone", "",
        *_memory(rows), "",
        "## Relaxation and solve by the same HiGHS, processor seconds", "",
        *_side_by_side(rows, ("relax", "solve")), "",
        "## The project's own method, junheng only", "",
        *_method(rows), "",
        "## Every row", "",
        *_every_row(rows[rows["phase"].isin([*PHASES, "later"])]),
    ]  # fmt: skip
