"""All factors, in the order in which they are applied; everybody who needs factors iterates this."""

from __future__ import annotations

from optimizer.study.stress.factors import money, pupils, roads, staff, ways
from optimizer.study.stress.factors.record import Factor

FACTORS: dict[str, Factor] = {
    f.id: f for room in (pupils, staff, money, roads, ways) for f in room.FACTORS
}  # fmt: skip
"""By id. A new factor is one more record in one of these rooms, and its two words."""
