"""Layers into a GeoPackage: the same layers give the same bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

STAMP = "2025-01-01T00:00:00Z"
"""A fixed time of last change, so that the same layers give the same bytes."""


def write_geopackage(layers: Mapping[str, pd.DataFrame], path: Path) -> Path:
    """Write layers, with or without geometry, in their order.

    Parameters
    ----------
    layers : mapping of str to GeoDataFrame or DataFrame
    path : Path
        A new file, or one whose layers of these names are replaced.

    Returns
    -------
    Path
    """
    before = os.environ.get("OGR_CURRENT_DATE")
    os.environ["OGR_CURRENT_DATE"] = STAMP
    try:
        for name, layer in layers.items():
            if isinstance(layer, gpd.GeoDataFrame):
                layer.to_file(path, layer=name, driver="GPKG")
            else:
                pyogrio.write_dataframe(layer, path, layer=name, driver="GPKG")
    finally:
        if before is None:
            del os.environ["OGR_CURRENT_DATE"]
        else:
            os.environ["OGR_CURRENT_DATE"] = before
    return path
