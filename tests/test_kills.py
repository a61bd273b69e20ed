"""Killed (-9) at seeded moments, no verb loses a finished plan, and the same command works again."""

from __future__ import annotations

import os
import random
import shutil

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the runs are forked")


def test_killed_verbs_lose_nothing_and_run_again(tmp_path):
    from benchmarks.kills import VERBS, killed, workplace

    first, dice = workplace(tmp_path / "first"), random.Random(3)
    for name, longest in (("check", 2.0), ("template", 0.4), ("plan --overwrite", 6.0)):
        assert name in VERBS
        at = shutil.copytree(first, tmp_path / "run")
        assert killed(name, at, dice.uniform(0.0, longest)).wrong == []
        shutil.rmtree(at)


def test_a_lost_plan_and_left_overs_would_be_seen(tmp_path):
    from benchmarks.kills import _whole, left_over

    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "plan.csv").write_text("row_id,acti", encoding="utf-8")
    (tmp_path / ".plan.junheng").mkdir()
    assert _whole(tmp_path / "plan") and left_over(tmp_path) == [".plan.junheng"]
