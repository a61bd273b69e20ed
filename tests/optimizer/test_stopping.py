"""The token that stops a search: who sets it, what it tells, and that Ctrl-C is mapped to it."""

from __future__ import annotations

import signal
import threading

import pytest

from geodata.contract.findings import InputProblems
from optimizer.scenario import read_scenario
from optimizer.search.method import Method
from optimizer.solver.stopping import Stop, heeding


def test_asked_for_and_taken_back() -> None:
    stop = Stop()
    assert not stop.is_set() and stop.reason == ""
    stop.set()
    assert stop.is_set() and stop.reason == "asked"
    stop.clear()
    assert not stop.is_set()


def test_a_clock_and_a_count_are_reasons_of_their_own() -> None:
    assert Stop(seconds=0.0).reason == "time"
    assert Stop(seconds=1e6).reason == ""
    stop = Stop(nodes=10)
    stop.count(9)
    assert not stop.is_set()
    stop.count(1)
    assert stop.reason == "nodes"
    stop.clear()
    assert stop.is_set()  # a count is not taken back


def test_a_grace_forgets_what_is_in_force_and_hears_what_is_new() -> None:
    for stop in (Stop(seconds=0.0), Stop(nodes=0), Stop()):
        stop.set()
        with stop.grace():
            assert not stop.is_set()
            stop.set()
            assert stop.is_set()
        assert stop.is_set()
    quiet = Stop()
    with quiet.grace():
        quiet.set()
    assert quiet.is_set()


def test_the_first_ctrl_c_asks_and_one_more_interrupts() -> None:
    before = signal.getsignal(signal.SIGINT)
    with heeding(None) as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        stop.clear()
        signal.raise_signal(signal.SIGINT)  # seen to, so the next one asks again
        assert stop.is_set()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_token_of_ones_own_leaves_ctrl_c_alone() -> None:
    own, before = Stop(), signal.getsignal(signal.SIGINT)
    with heeding(own) as stop:
        assert stop is own
        assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_has_a_token_and_no_signals() -> None:
    seen: list[bool] = []

    def work() -> None:
        with heeding(None) as stop:
            stop.set()
            seen.append(stop.is_set())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]


def test_a_scenario_overrides_knobs_and_unknown_ones_are_refused(tmp_path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text("[method]\nrough_nodes = 5\nflip_budgets = [0.5]\n", encoding="utf-8")
    assert read_scenario(path).method == Method(rough_nodes=5, flip_budgets=(0.5,))
    for text, column in (
        ("[method]\nrough_node = 5\n", "method.rough_node"),
        ("[method]\nrelax_share = 0.9\n", "method"),
        ("[method]\nrough_nodes = -1\n", "method.rough_nodes"),
        ('[method]\ntried_goals = ["fame"]\n', "method.tried_goals[1]"),
        ("[method]\njoint_steps = [0.01, nan]\n", "method.joint_steps[2]"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputProblems) as problem:
            read_scenario(path)
        assert [f.column for f in problem.value.findings] == [column]


def test_every_knob_says_what_it_is() -> None:
    assert all(field.description for field in Method.model_fields.values())
