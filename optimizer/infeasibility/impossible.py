"""Why a request is impossible: arithmetic that a planner can redo, then the least relaxation, then the clash."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geodata.contract.county import County
from geodata.contract.findings import Finding
from geodata.contract.groups import group_in
from geodata.travel.times import TravelTimes, travel_times
from models.problem.building import build_instance
from models.problem.instance import Instance
from models.standards.norms import load_standards
from optimizer.infeasibility.conflicts import clash_in_words, least_money, seats_short
from optimizer.infeasibility.elastic import Relaxation, relaxations
from optimizer.infeasibility.required import unmet, why_unmet
from optimizer.outcomes import StoppedWithoutPlan
from optimizer.scenario import Scenario, check_scenario
from optimizer.scenario_sheet import asked_of
from optimizer.search.solved import NoPlan
from optimizer.search.task import Task
from optimizer.solver.stopping import Stop, heeding


@dataclass(frozen=True)
class Impossible:
    """Why no plan exists.

    Parameters
    ----------
    arithmetic : tuple of Finding
        Shortfalls that follow from the tables alone.
    relaxations : tuple of Relaxation
        What would have to give: `optimizer.infeasibility.elastic.relaxations`.
    clash : tuple of Finding
        An irreducible set of clashing rules of the relaxation; empty where only whole numbers clash.
    required : tuple of Finding
        Requirements that no plan keeps, where there are plans without them: `optimizer.infeasibility.required.unmet`.
    """

    arithmetic: tuple[Finding, ...]
    relaxations: tuple[Relaxation, ...]
    clash: tuple[Finding, ...]
    required: tuple[Finding, ...] = ()

    @property
    def possible(self) -> bool:
        """True when nothing stands in the way after all."""
        return not (self.arithmetic or self.relaxations or self.clash or self.required)


def seats_by_township(inst: Instance) -> list[Finding]:
    """Townships whose pupils have nowhere else to go and do not fit its seats, by stage.

    Counted are villages all of whose admissible schools lie in the township, and pupils who by-pass
    their village's school to one of its schools that keeps the band. None where places do not bind.
    """
    if not inst.standards.hard("capacity"):
        return []
    town = inst.units.drop_duplicates("school_id").set_index("school_id")["township"]
    lock = inst.bands["lock"]
    pairs = inst.pairs.assign(township=inst.pairs["school_id"].map(town))
    spread = pairs.groupby("g")["township"].agg(["first", "nunique"])
    held = inst.groups[inst.groups["main"]].join(spread)
    held = held[held["nunique"] == 1].rename(columns={"first": "township"})
    choice = inst.groups[~inst.groups["main"]]
    stays = [
        lock.get((s, b)) == "open" for s, b in zip(choice["today_school_id"], choice["band"], strict=True)
    ]
    choice = choice[pd.Series(stays, index=choice.index, dtype=bool)]
    choice = choice.assign(township=choice["today_school_id"].map(town))
    both = pd.concat([held[["township", "band", "pupils"]], choice[["township", "band", "pupils"]]])
    need = (
        both.assign(stage=both["band"].map(inst.standards.scheme.band_stage))
        .groupby(["township", "stage"])["pupils"]
        .sum()
    )
    have = inst.units.groupby(["township", "stage"])["largest"].sum()
    found = []
    for (township, stage), pupils in need.items():
        seats = int(have.get((township, stage), 0))
        if pupils > seats:
            fields = {
                "township": township,
                "stage": stage,
                "pupils": int(pupils),
                "seats": seats,
                "short": int(pupils) - seats,
            }
            found.append(Finding("error", "analysis.township_seats", fields))
    return found


def cut_off(inst: Instance) -> list[Finding]:
    """Villages all of whose admissible schools are asked to close, with the nearest that stays."""
    lock = inst.bands["lock"]
    shut = [
        lock.get((s, b)) == "closed" for s, b in zip(inst.pairs["school_id"], inst.pairs["band"], strict=True)
    ]
    all_shut = pd.Series(shut, index=inst.pairs.index).groupby(inst.pairs["g"]).all()
    lost = inst.groups.loc[all_shut.index[all_shut]]
    far = inst.barred[inst.barred["g"].isin(lost.index) & inst.barred["excess"].notna()]
    nearest = far.sort_values(["excess", "school_id"]).drop_duplicates("g").set_index("g")
    schools = inst.county.schools.set_index("school_id")["name"]
    villages = inst.county.villages.set_index("village_id")["name"]
    found = []
    for g, r in lost.iterrows():
        fields: dict[str, object] = {
            "village": villages[r["village_id"]],
            "band": r["band"],
            "pupils": int(r["pupils"]),
        }
        if g in nearest.index:
            near = nearest.loc[g]
            fields |= {
                "school": schools[near["school_id"]], "mode": near["mode"], "minutes": float(round(near["minutes"], 1)),
                "limit": float(round(near["minutes"] - near["excess"], 1)),
            }  # fmt: skip
            found.append(Finding("error", "analysis.cut_off", fields))
        elif group_in(r["group"]):
            found.append(Finding("error", "analysis.no_group_way", fields | {"group": group_in(r["group"])}))
        else:
            found.append(Finding("error", "analysis.no_way", fields))
    return found


def lock_conflicts(inst: Instance) -> list[Finding]:
    """Closures asked for that no plan may make: a township's last junior school, more than the pace allows."""
    value, hard = inst.standards.value, inst.standards.hard
    town = inst.units.drop_duplicates("school_id").set_index("school_id")["township"]
    found = []
    rule = inst.standards.get("junior_per_township")
    kept = inst.standards.scheme.bands_of(rule.stage) if rule is not None else ()
    junior = inst.bands[inst.bands.index.get_level_values("band").isin(kept)]
    for township, rows in junior.groupby(junior["unit_id"].map(inst.units["township"])):
        if hard("junior_per_township") and (rows["lock"] == "closed").all():
            found.append(Finding("error", "analysis.last_junior", {"township": township}))
    closed = [j for j in inst.request.close if j in town.index]
    if hard("closures_township"):
        most = int(value("closures_township"))
        for township, many in pd.Series(closed, dtype=object).map(town).value_counts(sort=False).items():
            if many > most:
                found.append(
                    Finding(
                        "error",
                        "analysis.pace_township",
                        {"township": township, "asked": int(many), "most": most},
                    )
                )
    if hard("closures_share"):
        most = int(value("closures_share") * len(town) + 1e-9)
        if len(closed) > most:
            found.append(Finding("error", "analysis.pace_county", {"asked": len(closed), "most": most}))
    return found


def arithmetic(inst: Instance) -> list[Finding]:
    """Everything that the tables alone show to be impossible."""
    return [*seats_short(inst), *seats_by_township(inst), *cut_off(inst), *lock_conflicts(inst)]


def reasons(inst: Instance) -> list[Finding]:
    """What stands in the way of a request that is known to be impossible; never empty.

    Parameters
    ----------
    inst : Instance
    """
    found = arithmetic(inst) or least_money(inst)
    return [*found, *clash_in_words(inst)] or [Finding("error", "cli.clash_whole")]


def why_impossible(inst: Instance, task: Task) -> Impossible:
    """What stands in the way of any plan, and what the least is that would have to give.

    Parameters
    ----------
    inst : Instance
    task : Task

    Returns
    -------
    Impossible
        `Impossible.possible` where nothing stands in the way.

    Raises
    ------
    StoppedWithoutPlan
        The search for what would have to give was stopped first.
    """
    sums = arithmetic(inst)
    try:
        give = relaxations(inst, task)
        asked = unmet(inst, task) if give or sums else why_unmet(inst, task) if task.required else []
    except NoPlan as stop:
        raise StoppedWithoutPlan(stop.status) from None
    if not give and not sums and not asked:
        return Impossible((), (), ())
    return Impossible(
        (*sums, *(least_money(inst) if not sums else [])),
        tuple(give),
        tuple(clash_in_words(inst)),
        tuple(asked),
    )


def explain_request(
    county: County,
    scenario: Scenario | None = None,
    times: TravelTimes | None = None,
    stop: Stop | None = None,
) -> Impossible:
    """The verb ``explain`` for a request: why it is impossible, if it is.

    Parameters
    ----------
    county : County
    scenario : Scenario or None
    times : TravelTimes or None
    stop : Stop or None
        None: Ctrl-C stops.

    Raises
    ------
    InputProblems, StoppedWithoutPlan
    """
    scenario = scenario or asked_of(county)[0]
    check_scenario(scenario, county)
    times = times or travel_times(county)
    inst = build_instance(county, load_standards(county), scenario.request(), times)
    with heeding(stop) as token:
        return why_impossible(inst, scenario.task(token))
