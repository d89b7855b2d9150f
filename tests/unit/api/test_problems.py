"""Every refusal says what to do."""

import re
from pathlib import Path

import pytest

import swarm.api
from swarm.api.problems import FIXES, of_error
from swarm.errors import Rejected, SwarmError, UnknownKey

# As they are in the code: `problem(404, "code", ...)`, `NotAdmitted("code", ...)`, the table.
CODE = re.compile(r'(?:problem\(\d+, |NotAdmitted\(|^    \(\w+, \d+, )"([a-z-]+)"', re.MULTILINE)


def codes() -> set[str]:
    (folder,) = swarm.api.__path__
    return {code for path in Path(folder).rglob("*.py") for code in CODE.findall(path.read_text())}


def test_each_code_has_a_fix_and_each_fix_a_code() -> None:
    assert len(codes()) > 15
    assert codes() | {"http"} == set(FIXES)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(UnknownKey("no such"), 404, "unknown-key"), (Rejected("no"), 409, "rejected")],
)
def test_a_problem_tells_what_is_wrong_and_what_to_do(
    error: SwarmError, status: int, code: str
) -> None:
    answer = of_error(error)
    assert answer.status_code == status
    told = bytes(answer.body).decode()
    assert f'"code":"{code}"' in told
    assert f'"fix":"{FIXES[code]}"' in told
