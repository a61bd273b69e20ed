"""Ids that lost digits, schools under another name: found again only where there is one answer."""

from __future__ import annotations

import pytest

from geodata.bureau.matching import alike, known_id, known_name, own_id

IDS = ["0418000001", "0418000002", "3418000003", "3427000004"]
NAMES = {
    "南浦县第一小学": ["1"], "南浦县第二小学": ["2"], "南浦县实验小学": ["3"], "双河中心小学": ["4"], "大坝小学": ["5"],
    "东坝小学": ["6"], "南浦育才学校（民办）": ["7"], "希望小学": ["8", "9"], "青坡教学点": ["10"], "柳塘初级中学": ["11"],
}  # fmt: skip


def said(resolved):
    value, doubt = resolved
    return (value, None) if doubt is None else (value, doubt.severity, doubt.key.removeprefix("bureau."))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("3418000003", ("3418000003", None)),
        ("418000001", ("0418000001", "note", "id_restored")),
        ("3418000003.0", ("3418000003", "note", "id_restored")),
        ("3.418000003E+09", ("3418000003", "note", "id_restored")),
        ("3.427E+09", ("3427000004", "warning", "id_guessed")),
        ("4.18E+08", ("4" + "18000000", "error", "id_ambiguous")),
        ("9999", ("9999", None)),
        ("plain_q", ("plain_q", None)),
    ],
)
def test_ids_that_another_table_defines(text, wanted):
    assert said(known_id(text, IDS)) == wanted


def test_two_ids_that_differ_by_a_leading_zero_are_never_chosen_between():
    assert said(known_id("0012", ["12", "012"])) == ("0012", "error", "id_ambiguous")


@pytest.mark.parametrize(
    ("text", "digits", "wanted"),
    [
        ("418000001", 10, ("0418000001", "note", "id_restored")),
        ("418000001", None, ("418000001", None)),
        ("0418000001", 10, ("0418000001", None)),
        ("3.42E+09", 10, ("3420000000", "error", "id_lost")),
        ("A12", 10, ("A12", None)),
    ],
)
def test_ids_where_they_are_defined(text, digits, wanted):
    assert said(own_id(text, digits)) == wanted


def match(text, settled=None):
    return known_name(text, NAMES, settled or {}, "南浦县", 0.75)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("南浦县第一小学", ("1", None)),
        ("第一小学", ("1", "warning", "name_matched")),
        ("县实验小学", ("3", "warning", "name_matched")),
        ("实验小学", ("3", "warning", "name_matched")),
        ("南浦县实验小学 ", ("3", None)),
        ("大坝完小", ("5", "warning", "name_matched")),
        ("柳塘初中", ("11", "warning", "name_matched")),
        ("南浦县第三小学", ("南浦县第三小学", "error", "name_unknown")),
        ("西坝小学", ("西坝小学", "error", "name_unknown")),
        ("大岭小学", ("大岭小学", "error", "name_unknown")),
        ("柳塘小学", ("柳塘小学", "error", "name_unknown")),
        ("双河小学", ("双河小学", "error", "name_unknown")),
        ("希望小学", ("希望小学", "error", "name_borne_twice")),
        ("", ("", None)),
    ],
)
def test_names(text, wanted):
    assert said(match(text)) == wanted


def test_a_match_shows_its_doubt_and_the_runner_up():
    _, doubt = match("县实验小学")
    assert doubt.fields["likeness"] == "100%"
    assert doubt.fields["name"] == "南浦县实验小学"
    assert doubt.fields["near"].startswith("南浦县实验小学 100%, ")


def test_two_names_equally_alike_are_an_error_with_both():
    names = {"青坡教学点": ["1"], "青坡小学": ["2"], "大坝小学": ["3"]}
    value, doubt = known_name("青坡完小", names, {}, "南浦县", 0.75)
    assert (value, doubt.key) == ("青坡完小", "bureau.name_ambiguous")
    assert "青坡小学 100%" in doubt.fields["near"] and "青坡教学点 100%" in doubt.fields["near"]


def test_a_person_settles_a_doubt():
    assert said(match("希望小学", {"希望小学": "9"})) == ("9", "note", "name_settled")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("第一小学", "第二小学"),
        ("城东小学", "城西小学"),
        ("柳塘小学", "柳塘初中"),
        ("育红幼儿园", "育红小学"),
    ],
)
def test_contradicting_marks_are_never_alike(a, b):
    assert alike(a, b) == alike(b, a) == 0
    assert alike(a, a) == 1
