"""Damage to mappings and to the bureau's own files that they name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import openpyxl
import pandas as pd
from pyproj import Transformer

from tests.damage import cells
from tests.geodata.test_fuzz import CELLS, Case
from tests.hostile.county import at, feature, named
from tests.hostile.settings import wrecked

ENDINGS = ("xls", "ods", "et", "csv", "txt", "geojson", "xlsb", "pdf", "dbf", "XLSX", "zip")


def _schools(case: Case) -> Path:
    """The table of schools as a bureau keeps it: a title, a header of two rows, a total and a remark below."""
    frame = cells(case.folder, "schools")
    (case.folder / "schools.csv").unlink()
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "学校"
    sheet.append(["某县学校情况一览表"])
    sheet.append(["基本情况", *[None] * (frame.shape[1] - 1)])
    sheet.merge_cells(start_row=2, start_column=1, end_row=2, end_column=frame.shape[1])
    sheet.append(list(frame.columns))
    for row in frame.to_numpy().tolist():
        sheet.append(row)
    sheet.append(["合计"])
    sheet.append(["备注：截至九月"])
    path = case.folder / "bureau.xlsx"
    book.save(path)
    return path


def _villages(case: Case, zone: str, swapped: bool) -> None:
    """The villages as a layer or a list in metres, with or without the number of the zone before the eastings."""
    frame = cells(case.folder, "villages")
    (case.folder / "villages.csv").unlink()
    turn = Transformer.from_crs(4326, 4548, always_xy=True)  # zone without number, central meridian 117
    x, y = turn.transform(frame["lon"].astype(float).to_numpy(), frame["lat"].astype(float).to_numpy())
    frame = frame.drop(columns=["lon", "lat", "crs"])
    frame["x"], frame["y"] = [f"{zone}{v:.2f}" for v in x], [f"{v:.2f}" for v in y]
    if swapped:
        frame = frame.rename(columns={"x": "y", "y": "x"})
    frame.to_csv(case.folder / "villages_bureau.csv", index=False)
    layer = [
        feature(
            {"type": "Point", "coordinates": [float(r["x"]), float(r["y"])]},
            **{k: r[k] for k in ("village_id", "name", "township")},
        )
        for r in frame.to_dict("records")
    ]
    named_so = case.dice.choice(("EPSG:4548", "EPSG:4527", "EPSG:4326", None))
    told = {"type": "FeatureCollection", "features": layer}
    if named_so:
        told["crs"] = {"type": "name", "properties": {"name": named_so}}  # type: ignore[assignment]
    (case.folder / "villages_bureau.geojson").write_text(json.dumps(told), encoding="utf-8")


def _mapping(case: Case, columns: list[str]) -> str:
    """The mapping that fits these files."""
    lines = [
        "likeness = 0.8",
        "[[source]]",
        'table = "schools"',
        'file = "bureau.xlsx"',
        'sheet = "学校"',
        "header = [2, 3]",
        "join = false",
    ]
    lines += [
        'zeros = ["无", "-"]',
        'keep = {name = ["河口镇中心小学"]}' if case.dice.random() < 0.1 else 'leave = {name = ["合计"]}',
    ]
    lines += [
        "[source.columns]",
        *(f'{c} = "{c}"' for c in columns),
        "[source.values.kind]",
        '"小学" = "primary"',
    ]
    lines += ["[[source]]", 'table = "villages"']
    if case.dice.random() < 0.5:
        lines += [
            'file = "villages_bureau.geojson"',
            "epsg = 4548",
            'within = "townships.geojson"' if case.dice.random() < 0.3 else "known = false",
        ]
        lines += ["[source.columns]", 'village_id = "village_id"', 'name = "name"', 'township = "township"']
    else:
        lines += [
            'file = "villages_bureau.csv"',
            "[source.columns]",
            'village_id = "village_id"',
            'name = "name"',
            'township = "township"',
        ]
        lines += [
            'lon = {heading = "x", factor = "1/1"}',
            'lat = {formula = "[y] + 0"}',
            "[source.constants]",
            'crs = "EPSG:4548"',
        ]
    return "\n".join(lines) + "\n"


def _base(case: Case) -> tuple[str, Path]:
    columns = list(cells(case.folder, "schools").columns)
    book = _schools(case)
    _villages(case, case.dice.choice(("", "", "39", "20", "38")), case.dice.random() < 0.15)
    named(case, "mapping", "mapping.toml")
    return _mapping(case, columns), book


def _write(case: Case, text: str) -> None:
    (case.folder / "mapping.toml").write_text(text, encoding="utf-8", errors="surrogatepass")


def the_mapping(case: Case) -> None:
    """Any value of the mapping."""
    text, _ = _base(case)
    _write(case, wrecked(case, text))


def the_rules(case: Case) -> None:
    """Formulas, factors, shares, ranges, units and words that no column has."""
    text, _ = _base(case)
    rules = (
        '{formula = "[pupils]"}', '{formula = "[a] ** [b]"}', '{formula = "' + "(" * 3000 + '[a]"}', '{formula = "[a] / 0"}',
        '{heading = "x", factor = "1e400"}', '{heading = "x", factor = "1/0"}', '{heading = "x", between = [0, 0]}',
        '{heading = "x", between = [inf, nan]}', '{heading = "x", share = 2}', '{heading = "x", unit = "亩"}', '{heading = "x", by = "name"}',
        '{heading = "x", unit = "度分秒"}', '{heading = ""}', '{heading = "x", factor = -1}', '{heading = "x", factor = 1e12}', "{}",
        '{formula = "[y] / ([y] - [y])"}', '{formula = "[x] * 99999999999999999999 * 99999999999999999999999"}', '{heading = "@lon"}',
    )  # fmt: skip
    lines = text.splitlines()
    at_line = case.dice.choice(
        [
            i
            for i, line in enumerate(lines)
            if line.startswith(("lon", "lat", "name", "built_year", "village_id"))
        ]
    )
    lines[at_line] = f"{lines[at_line].split(' = ')[0]} = {case.dice.choice(rules)}"
    _write(case, "\n".join(lines))


def the_files(case: Case) -> None:
    """The bureau's files: cells, merged cells, rows, other kinds, gone, elsewhere."""
    text, path = _base(case)
    how = case.dice.randrange(6)
    if how < 3:
        book = openpyxl.load_workbook(path)
        sheet = book.worksheets[0]
        row, column = case.dice.randint(1, 8), case.dice.randint(1, 8)
        if how == 0:
            value = case.dice.choice(CELLS)
            sheet[row + 3][column].value = "".join(c for c in value if c >= " ")
        elif how == 1:
            sheet.merge_cells(
                start_row=row,
                start_column=column,
                end_row=row + 3,
                end_column=column + case.dice.randint(0, 3),
            )
        else:
            (sheet.delete_rows if case.dice.random() < 0.5 else sheet.insert_rows)(row)
        book.save(path)
    elif how == 3:
        ending = case.dice.choice(ENDINGS)
        shutil.copy(path, case.folder / f"bureau.{ending}")
        text = text.replace("bureau.xlsx", f"bureau.{ending}")
    elif how == 4:
        names = (
            "../outside/secret.csv",
            f"http://{at(case)}/a.xlsx",
            "/dev/zero",
            "nowhere.xlsx",
            ".",
            "mapping.toml",
            "townships.geojson",
        )
        text = text.replace("bureau.xlsx", case.dice.choice(names))
    else:
        file = case.folder / case.dice.choice(("villages_bureau.csv", "villages_bureau.geojson"))
        content = file.read_bytes()
        kinds = (
            b"",
            content[: len(content) // 2],
            content.replace(b",", b";"),
            content.decode().encode("utf-16"),
            content + b"\x1a",
        )
        file.write_bytes(case.dice.choice(kinds))
    _write(case, text)


def a_database(case: Case) -> None:
    """A mapping that names a database: nothing is connected to, unless the user has named it."""
    text, _ = _base(case)
    host, port = at(case).split(":")
    stated = case.dice.choice(
        (
            f"host={host} port={port} dbname=a",
            f"postgresql://u:secret@{at(case)}/a",
            f"hostaddr={host}",
            "service=a",
            "",
            "\u0000",
        )
    )
    stated = json.dumps(stated)
    _write(
        case,
        text.replace('file = "bureau.xlsx"', f'postgis = {stated}\nlayer = "public.schools"').replace(
            'sheet = "学校"\n', ""
        ),
    )


def names(case: Case) -> None:
    """A national list of figures that names its schools: doubtful, alike, empty, of other counties."""
    frame = cells(case.folder, "school_stage")
    (case.folder / "school_stage.csv").unlink()
    named_by = dict(
        zip(cells(case.folder, "schools")["school_id"], cells(case.folder, "schools")["name"], strict=True)
    )
    frame["school_id"] = [named_by[i] for i in frame["school_id"]]
    odd = (
        "",
        "河口镇小学",
        "  河口镇中心小学",
        "Nan",
        "x" * 500,
        "史家沟小学（东校区）",
        "育才学校\u200b",
        "河口镇中心小学" * 3,
    )
    frame.loc[case.dice.randrange(len(frame)), "school_id"] = case.dice.choice(odd)
    if case.dice.random() < 0.3:
        frame = pd.concat([frame] * case.dice.choice((2, 300)))
    frame.to_csv(case.folder / "national.csv", index=False)
    lines = [
        "[[source]]",
        'table = "school_stage"',
        'file = "national.csv"',
        f"known = {str(case.dice.random() < 0.5).lower()}",
        "[source.columns]",
    ]
    lines += [
        'school_id = {heading = "school_id", by = "name"}',
        *(f'{c} = "{c}"' for c in frame.columns if c != "school_id"),
    ]
    named(case, "mapping", "mapping.toml")
    text = "\n".join(lines) + "\n"
    _write(case, wrecked(case, text) if case.dice.random() < 0.3 else text)


DAMAGE = (the_mapping, the_mapping, the_rules, the_files, the_files, a_database, names)
