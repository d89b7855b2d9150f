"""What suites took is told beside their budgets."""

from tests.suites import BUDGET_MIN, TOGETHER_MIN, lines, spent


def test_minutes_are_summed_by_suite_and_what_is_over_says_so() -> None:
    took = [("tests/e2e/test_up.py::a", 600.0), ("tests/e2e/test_up.py::b", 300.0)]
    took += [("tests/unit/api/test_keys.py::c[x/y]", 6.0), ("elsewhere", 1.0)]
    found = spent(took)
    assert found == {"e2e": 15.0, "unit": 0.1}
    assert list(lines(found)) == [
        "unit            0.1 min of work, budget 3.0",
        "e2e            15.0 min of work, budget 14.0, OVER",
    ]
    assert list(lines({"unit": 0.1})) == [], "a few tests have no budget"


def test_two_at_once_they_end_in_time() -> None:
    assert sum(BUDGET_MIN.values()) / 2 <= TOGETHER_MIN
