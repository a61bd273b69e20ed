"""`Method`: every knob of the search in one validated record, kept with the plan that it made."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.problem.request import GoalName

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Step = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]


def _knob(value: object, about: str) -> Any:
    return Field(default=value, description=about)


def _in_order(method: Any) -> Any:
    """A step cannot be over before the one that it follows."""
    shares = (method.relax_share, method.network_share, method.split_share, method.joint_share)
    if list(shares) != sorted(shares):
        raise ValueError("relax_share <= network_share <= split_share <= joint_share")
    return method


class Method(BaseModel):
    """How plans are searched for; the defaults are what measured best (benchmarks/results/method.md).

    A scenario may override any of them in its table ``[method]``. Every field says what it is, with its unit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    # which steps, and when each is over
    joint_units: Count = _knob(16, "units: counties of so many or fewer are decided in one model")
    relax_share: Share = _knob(0.4, "share of the seconds by which the relaxation is over")
    network_share: Share = _knob(0.65, "share of the seconds by which the network is over")
    split_share: Share = _knob(0.75, "share of the seconds by which its first split is over")
    joint_share: Share = _knob(0.95, "share of the seconds by which the joint step is over")
    joint_worth: Share = _knob(
        0.2, "time that the joint step has to have to be begun, as a share of what the relaxation took"
    )
    first_share: Share = _knob(0.75, "share of a step's seconds for its first goal, where more follow")
    goal_share: Share = _knob(0.5, "share of the seconds left that one goal of the ordered list may take")
    brief_goals: tuple[GoalName, ...] = _knob(("cv_excess",), "goals that `brief_share` is enough for")
    brief_share: Share = _knob(
        0.15, "the same for goals that a plan reaches early and no bound follows (spreads within limits)"
    )
    long_goals: tuple[GoalName, ...] = _knob(
        ("over_cap", "failing"), "goals whose tree ends when it is given `long_nodes`: their nodes are cheap"
    )
    long_nodes: Positive = _knob(8.0, "nodes of such a goal's search, times the scenario's")
    slow_goals: tuple[GoalName, ...] = _knob(
        ("deficit",), "goals whose best plans come late and whose bound stands still till their tree ends"
    )
    slow_nodes: Positive = _knob(
        16.0, "nodes of such a goal's long search, times the scenario's; 1 or less: none"
    )
    slow_share: Share = _knob(0.7, "share of the seconds left that it may take")
    slow_gap: Share = _knob(0.02, "relative gap that is enough for it after the first goal")
    tried_goals: tuple[GoalName, ...] = _knob(
        ("failing",),
        "goals whose root is tried under other seeds, in larger counties: each finds other plans",
    )
    root_tries: Count = _knob(2, "these roots, besides the search's own")
    around_units: Count = _knob(
        150, "units: counties of more are improved place by place before the whole model"
    )
    around_share: Share = _knob(0.5, "share of a goal's seconds for that")
    around_seconds: Positive = _knob(10.0, "seconds that one place may take")
    improve_share: Share = _knob(0.2, "share of a goal's seconds for its small models")
    start_share: Share = _knob(
        0.25, "share of the seconds for a first plan, where today's arrangement is none"
    )
    start_seconds: Positive = _knob(120.0, "seconds that a first plan may take however little time is given")

    # tangents and planes, as shares of the objective unless said otherwise
    cut_slack: Share = _knob(0.01, "share of the objective that tangents may leave out")
    whole_slack: Share = _knob(0.002, "the same for planes of whole heads on the relaxation")
    hull_slack: Share = _knob(0.0005, "the same for planes under the sum of a unit's spreads")
    joint_slack: Share = _knob(0.002, "the same for tangents of the joint model")
    joint_steps: tuple[Step, ...] = _knob(
        (-0.03, 0.03), "tangents beside those of the joint model's start, pupil-equivalents a pupil"
    )
    hull_steepest: Positive = _knob(15.0, "steepest slope of such a plane, pupils a pupil")
    hull_mixtures: Count = _knob(200, "mixtures tried for one plane")
    least_gain: Share = _knob(
        1e-4, "rounds on the relaxation end when one gains less, share of the objective"
    )
    hull_gain: Share = _knob(3e-4, "the same with planes under sums")

    # relaxation
    settle_rounds: Count = _knob(4, "rounds of planes while the means settle")
    settle_nearest: Count = _knob(4, "pairs a group, besides today's, among which the means settle")
    relax_rounds: Count = _knob(20, "rounds of planes for the bound")
    study_rounds: Count = _knob(4, "rounds of planes at one budget of a study")
    interior_columns: Count = _knob(
        100_000, "columns from which a first relaxation is solved by interior points"
    )

    # network among the likely pairs
    near_pairs: Positive = _knob(1.0, "pairs a group, besides those a relaxation uses, that are likely")
    most_near: Count = _knob(3000, "most of these pairs in the county")
    narrow_relax_share: Share = _knob(0.4, "share of the network step's seconds for its relaxation")
    rough_gap: Share = _knob(0.01, "relative gap to which the network among likely pairs is taken")
    rough_nodes: Count = _knob(20, "nodes of that search")
    narrow_pairs: Count = _knob(
        8000, "pairs from which goals other than imbalance look among likely ones first"
    )

    # goals
    tangent_rounds: Count = _knob(
        3, "further solves of a goal, each with the tangents its last one asked for"
    )
    whole_rounds: Count = _knob(20, "the same where one model decides the county")
    joint_nodes: Count = _knob(100, "nodes of one round of the joint model")
    later_gap: Share = _knob(0.2, "relative gap asked of `rough_goals` after the first goal")
    rough_goals: tuple[GoalName, ...] = _knob(
        ("beyond_limit", "travel", "disruption", "cost"), "goals that `later_gap` is enough for"
    )
    part_nodes: Count = _knob(50, "nodes of a small model that improves a plan")
    tolerance: Positive = _knob(1e-6, "relative error within which bound and objective are the same number")

    rounding: Share = _knob(
        0.05, "share of a goal by which whole square metres and yuan may change what the model said of a plan"
    )

    # studies
    frontier_networks: Count = _knob(6, "priced solves of a frontier")
    frontier_crossed: Annotated[int, Field(ge=1)] = _knob(
        2, "networks on either side of a budget that its own is made from"
    )
    flip_budgets: tuple[Positive, ...] = _knob(
        (0.5, 0.75, 1.25, 1.5, 2.0), "budgets, times the scenario's own, at which a decision is made again"
    )
    apart_tries: Count = _knob(3, "times the limit is tightened when a nearly best plan comes out past it")
    apart_gap: Share = _knob(0.25, "relative gap of a largest distance between plans")
    apart_nodes: Count = _knob(100, "nodes of the search for it, in larger counties")
    village_gap: Share = _knob(0.02, "relative gap of the villages of chosen bands, in larger counties")
    village_nodes: Count = _knob(20, "nodes of that search")
    worth_a_tree: Share = _knob(
        0.01, "rise of a relaxation, share of the objective, that is worth a search tree"
    )
    tree_nodes: Count = _knob(1, "nodes of such a tree")
    local_nodes: Count = _knob(20, "nodes of a search around one school")
    local_rings: Count = _knob(2, "rings of neighbouring villages in it")

    # why a plan decides as it does
    why_rings: Count = _knob(
        1, "rings of villages and schools around a place that are decided anew, in larger counties"
    )
    why_same: Positive = _knob(1e-3, "share of a goal within which two decisions are the same")
    why_nodes: Count = _knob(100, "nodes of one solve with a decision turned round")

    # what would have to give
    elastic_gap: Share = _knob(1e-4, "relative gap of least relaxations")

    _checked = model_validator(mode="after")(_in_order)
