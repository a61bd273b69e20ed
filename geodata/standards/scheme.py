"""`Norms`: the merged content of a county's standards files; `Scheme`: its stages, bands and money."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from geodata.contract.findings import Finding
from geodata.standards.schema import Band, Currency, ExtraColumn, Indicator, Norm, Resource, Share, Stage


@dataclass(frozen=True)
class Scheme:
    """Stages and grade bands of a county, upwards, and its money."""

    stages: tuple[Stage, ...]
    bands: tuple[Band, ...]
    currency: Currency

    @cached_property
    def stage_ids(self) -> tuple[str, ...]:
        """Ids of the stages, lowest first."""
        return tuple(s.id for s in self.stages)

    @cached_property
    def band_ids(self) -> tuple[str, ...]:
        """Ids of the bands, lowest first."""
        return tuple(b.id for b in self.bands)

    @cached_property
    def band_stage(self) -> dict[str, str]:
        """Stage by band."""
        return {b.id: b.stage for b in self.bands}

    @cached_property
    def band_grades(self) -> dict[str, tuple[int, ...]]:
        """Grades by band."""
        return {b.id: b.all_grades for b in self.bands}

    @cached_property
    def stage_of_grade(self) -> dict[int, str]:
        """Stage by grade."""
        return {g: s.id for s in self.stages for g in range(s.grades[0], s.grades[1] + 1)}

    @property
    def grades(self) -> tuple[int, int]:
        """First and last grade of all stages."""
        return min(self.stage_of_grade), max(self.stage_of_grade)

    def bands_of(self, stage: str) -> tuple[str, ...]:
        """Bands of a stage, lowest first."""
        return tuple(b.id for b in self.bands if b.stage == stage)

    def lower_stages(self, stage: str) -> tuple[str, ...]:
        """Other stages in which teachers of this one may work."""
        return next((s.teaches for s in self.stages if s.id == stage), ())

    def name(self, key: str, language: str) -> str | None:
        """The name of a stage or band, None for another id."""
        everything: list[Stage | Band] = [*self.stages, *self.bands]
        found = next((x for x in everything if x.id == key), None)
        return None if found is None else found.zh if language == "zh" else found.en


@dataclass(frozen=True)
class Norms:
    """What a county's standards files say together; later files win.

    ``findings`` name entries of bundled files that this county's stages or bands do not have.
    """

    scheme: Scheme
    resources: dict[str, Resource]
    indicators: dict[tuple[str, str], Indicator]
    rules: dict[str, Norm]
    columns: tuple[ExtraColumn, ...]
    shares: dict[str, Share]
    findings: tuple[Finding, ...] = ()
