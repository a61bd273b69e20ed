"""Chinese coordinate systems: GCJ-02 and BD-09 to WGS-84 and back.

No maintained package reaches a metre on the round trip (benchmarks/results/method.md), so the published formula of the
GCJ-02 offset (Krasovsky 1940 ellipsoid, as in the open-source "eviltransform" work) is inverted by
fixed-point iteration: under 1e-8 degrees.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geodata.arrays import Floats

_A = 6378245.0  # Krasovsky 1940 semi-major axis, m
_EE = 0.00669342162296594323  # its first eccentricity squared
_BD = np.pi * 3000.0 / 180.0


def in_china(lon: Floats, lat: Floats) -> npt.NDArray[np.bool_]:
    """Where the GCJ-02 offset applies (the formula's own rectangle)."""
    inside: npt.NDArray[np.bool_] = (lon >= 72.004) & (lon <= 137.8347) & (lat >= 0.8293) & (lat <= 55.8271)
    return inside


def _wave(x: Floats) -> Floats:
    wave: Floats = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    return wave


def _offset(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """GCJ-02 minus WGS-84 in degrees at a WGS-84 point."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    dlat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + _wave(x)
    dlat += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    dlat += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    dlon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + _wave(x)
    dlon += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    dlon += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    magic = 1.0 - _EE * np.sin(phi) ** 2
    dlat = dlat * 180.0 / ((_A * (1.0 - _EE)) / (magic * np.sqrt(magic)) * np.pi)
    dlon = dlon * 180.0 / (_A / np.sqrt(magic) * np.cos(phi) * np.pi)
    inside = in_china(lon, lat)
    return np.where(inside, dlon, 0.0), np.where(inside, dlat, 0.0)


def _gcj_to_bd(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    z = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD)
    theta = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD)
    return z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006


def from_wgs84(lon: Floats, lat: Floats, crs: str) -> tuple[Floats, Floats]:
    """WGS-84 to the named system.

    Parameters
    ----------
    lon, lat : ndarray of float
        Degrees.
    crs : {"wgs84", "cgcs2000", "gcj02", "bd09"}
        CGCS2000 is taken as WGS-84 (they differ by centimetres; sources.md 3.2).

    Returns
    -------
    tuple of ndarray
        Longitudes, latitudes in degrees.

    Raises
    ------
    ValueError
        For a system that is not known.
    """
    if crs in ("wgs84", "cgcs2000"):
        return lon, lat
    if crs not in ("gcj02", "bd09"):
        raise ValueError(f"coordinate system {crs!r} is not known")
    dlon, dlat = _offset(lon, lat)
    shifted = lon + dlon, lat + dlat
    return shifted if crs == "gcj02" else _gcj_to_bd(*shifted)


def to_wgs84(lon: Floats, lat: Floats, crs: str) -> tuple[Floats, Floats]:
    """The named system to WGS-84, by fixed-point inversion of `from_wgs84`.

    Parameters and errors as there; the round trip is good to 1e-8 degrees (a millimetre).
    """
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    if crs in ("wgs84", "cgcs2000"):
        return lon, lat
    guess_lon, guess_lat = lon.copy(), lat.copy()
    for _ in range(30):
        there_lon, there_lat = from_wgs84(guess_lon, guess_lat, crs)
        guess_lon, guess_lat = guess_lon + (lon - there_lon), guess_lat + (lat - there_lat)
    return guess_lon, guess_lat
