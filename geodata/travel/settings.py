"""``[travel]`` in county.toml: season, ferries, slope, slowed areas, and where the cache is."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from geodata.contract.settings import FileName


class Travel(BaseModel):
    """How roads are read and slowed; an unknown key is an error.

    Parameters
    ----------
    season : {"normal", "winter", "flood"}
        Which rows of seasons.csv and which areas apply.
    ferries : bool
        Ferry lines of an OSM extract are used.
    consolidate_m : float
        Junctions this close (metres) become one; 0 leaves the network as it is.
    dem : str, optional
        Height raster (GeoTIFF, metres), relative to the county's folder: walking slows on slopes.
    areas : str, optional
        Layer of polygons with ``season`` and ``share`` (0 closes the roads inside).
    cache : str
        Folder of the cache, relative to the county's folder; empty for none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    season: Literal["normal", "winter", "flood"] = "normal"
    ferries: bool = False
    consolidate_m: float = Field(default=0.0, ge=0.0, le=100.0)
    dem: FileName | None = None
    areas: FileName | None = None
    cache: str = ".cache"
