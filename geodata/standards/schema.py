"""What may stand in a standards file: every entry a record, validated key by key (docs: "Standards")."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid", strict=False)
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Grade = Annotated[int, Field(ge=0, le=13)]
Tag = Literal["V", "R", "A", ""]
RuleKind = Literal["hard", "soft", "report", "procedure", "off"]
Earmark = Literal["building", "device", "teacher", "transport"]
NAN = float("nan")
RESERVED = frozenset(
    {
        "all", "assessed", "assessed_as", "capacity", "cat_id", "class_cap", "classes", "combined", "fixed", "free", "from",
        "from_school_id", "from_stage", "heads", "kind", "largest", "may_grow", "most", "name", "open", "over", "passes", "pupils",
        "rooms", "row_id", "rural", "school_id", "staff", "stage", "taking_part", "to", "to_school_id", "to_stage", "today",
        "township", "unit_id", "zone",
    }
)  # fmt: skip
"""Columns beside which resources stand in the tables of units and transfers: no resource may be called so."""
ABOVE = "above"
"""Key of `Share.weights` for the grades above the county's stages (senior secondary)."""


@dataclass(frozen=True, config=STRICT)
class About:
    """Where a file's numbers come from."""

    zh: str
    en: str
    source: str
    year: Annotated[int, Field(ge=1900, le=2100)]


@dataclass(frozen=True, config=STRICT)
class Stage:
    """A stage of schooling: its staff, its resources and its pupils are assessed together.

    Parameters
    ----------
    id : str
        Written in the column ``stage`` of the tables.
    grades : (int, int)
        First and last grade; 0 is the kindergarten year (K, reception).
    teaches : tuple of str
        Other stages in which its teachers may work (certificates reach downwards).
    """

    id: Id
    grades: tuple[Grade, Grade]
    zh: str
    en: str
    teaches: tuple[Id, ...] = ()


@dataclass(frozen=True, config=STRICT)
class Band:
    """Grades of one stage that are planned together: they travel, open and close as one."""

    id: Id
    stage: Id
    grades: tuple[Grade, Grade]
    zh: str
    en: str

    @property
    def all_grades(self) -> tuple[int, ...]:
        """Every grade of the band, upwards."""
        return tuple(range(self.grades[0], self.grades[1] + 1))


@dataclass(frozen=True, config=STRICT)
class Currency:
    """The money of every table, and the large unit in which totals are read (10,000 yuan are 1 万元)."""

    zh: str
    en: str
    large: Annotated[float, Field(gt=0)] = 1000.0
    large_zh: str = ""
    large_en: str = ""


@dataclass(frozen=True, config=STRICT)
class Share:
    """How a kind of school with several stages divides shared assets: weight of one pupil by stage."""

    kind: str
    weights: dict[str, Annotated[float, Field(gt=0)]]


@dataclass(frozen=True, config=STRICT)
class ExtraColumn:
    """A column that a standards file adds to a table, so that a numerator can be declared from it."""

    table: Literal["school_stage", "staff_category"]
    name: Id
    zh: str
    kind: Literal["whole", "number"] = "whole"
    high: Annotated[float, Field(gt=0)] = 100_000_000.0
    unit: str = ""
    required: bool = False
    shared: bool = False


@dataclass(frozen=True, config=STRICT)
class Resource:
    """What a unit has, counted from table columns or from flags of its staff.

    Parameters
    ----------
    kind : {"heads", "rooms", "area", "value"}
        Heads come from ``staff_stock``; rooms (or any other things) are whole; area and value are not.
    flags : tuple of str
        Columns of ``staff_category``: a head counts where one of them is 1. None: every head counts.
    columns : tuple of str
        Columns of ``school_stage`` that are added, or taken off where written with a minus.
    concession : str
        Column of ``school_stage`` with shared or part-time heads that small rural units may count.
    price : tuple of str
        Items of ``unit_costs`` that one more costs together; a value costs itself. Without one, nothing
        of it can be bought.
    move_price : str
        Item of ``unit_costs``; without one it stays where it is.
    """

    id: Id
    kind: Literal["heads", "rooms", "area", "value"]
    unit: str
    zh: str
    en: str
    flags: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    concession: str = ""
    price: tuple[str, ...] = ()
    move_price: str = ""
    earmark: Earmark = "device"

    @property
    def whole(self) -> bool:
        """Whether it comes in whole numbers."""
        return self.kind in ("heads", "rooms")

    @property
    def movable(self) -> bool:
        """Whether what closing frees goes to other schools as things (heads move as people)."""
        return bool(self.move_price)

    @property
    def buyable(self) -> bool:
        """Whether a plan can buy it."""
        return self.kind != "heads" and (bool(self.price) or self.kind == "value")

    @property
    def terms(self) -> tuple[tuple[str, float], ...]:
        """Columns with their signs."""
        return tuple((c.removeprefix("-"), -1.0 if c.startswith("-") else 1.0) for c in self.columns)


@dataclass(frozen=True, config=STRICT)
class Indicator:
    """One indicator of one stage (docs: "Indicators").

    ``resource`` names the numerator; ratio = scale * x / P. Without a ``threshold`` no school is tested by
    it, without a ``cv_limit`` its coefficient of variation has no limit of its own (both are then NaN).
    """

    id: Id
    stage: Id
    resource: Id
    unit: str
    scale: Annotated[float, Field(gt=0)] = 1.0
    threshold: float = NAN
    tolerance: Annotated[float, Field(gt=0, le=1)] = 1.0
    cv_limit: float = NAN
    source: str = ""
    tag: Tag = ""
    zh: str = ""
    en: str = ""

    @property
    def tested(self) -> bool:
        """Whether schools are tested by it."""
        return self.threshold == self.threshold


@dataclass(frozen=True, config=STRICT)
class Norm:
    """One rule: a number, how binding it is, and where it comes from.

    ``kind`` is hard, soft, report, procedure or off; ``tag`` is V (verified), R (recalled) or A
    (assumed), as in sources.md. ``resource`` is what the rule is about, where it is about one: a later
    file that gives another number and names none keeps it.
    """

    id: Id
    quantity: str
    operator: Literal[">=", "<=", "="]
    value: float
    unit: str
    kind: RuleKind
    stage: str = "all"
    applies_to: str = "all"
    grandfather: bool = False
    source: str = ""
    tag: Tag = ""
    note: str = ""
    resource: str = ""
