"""What the lines of a crontab say."""

import pytest

from swarm.connectors.crontab_lines import BrokenLine, CronJob, parse_crontab


def jobs(text, **options):
    return [
        (line.schedule, line.command)
        for line in parse_crontab(text, **options)
        if isinstance(line, CronJob)
    ]


@pytest.mark.parametrize(
    "schedule",
    [
        "0 2 * * *",
        "*/5 0-6,20 1,15 * mon-fri",
        "59 23 31 12 7",
        "0 0 * jan sun",
        "0-30/10 * * * *",
        "@daily",
        "@reboot",
    ],
)
def test_schedules(schedule):
    assert jobs(f"{schedule} run it") == [(schedule, "run it")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("60 * * * * x", "`60` is no minute"),
        ("0 24 * * * x", "`24` is no hour"),
        ("0 0 0 * * x", "`0` is no day of month"),
        ("0 0 * foo * x", "`foo` is no month"),
        ("0 0 * * 8 x", "`8` is no day of week"),
        ("5-1 * * * * x", "`5-1` is no minute"),
        ("*/0 * * * * x", "`*/0` is no minute"),
        ("0 2 * * *", "No command"),
        ("0 2", "No command"),
        ("@dayly x", "@dayly"),
        ("run every day", "`run` is no minute"),
    ],
)
def test_a_broken_line_says_what_is_wrong_with_it(line, said):
    first, broken = parse_crontab(f"0 0 * * * ok\n{line}")
    assert isinstance(first, CronJob)
    assert isinstance(broken, BrokenLine)
    assert broken.number == 2
    assert said in broken.detail


def test_variables_hold_for_the_lines_below_them():
    text = 'A=1\n0 0 * * * one\nA = "two words"\n"B"=\n0 0 * * * two\n'
    first, second = parse_crontab(text)
    assert dict(first.variables) == {"A": "1"}
    assert dict(second.variables) == {"A": "two words", "B": ""}


def test_percent_ends_the_command_and_begins_its_input():
    (job,) = parse_crontab(r"0 0 * * * run --day \%F%first%100\%%")
    assert job.command == "run --day %F"
    assert job.stdin == "first\n100%\n"


def test_comments_and_blank_lines_are_nothing():
    assert jobs("# 0 0 * * * no\n\n   \n0 0 * * * yes # not a comment\n") == [
        ("0 0 * * *", "yes # not a comment")
    ]


def test_the_user_field_is_known_by_the_file():
    assert jobs("0 0 * * * root load_all\n", system=True) == [("0 0 * * *", "load_all")]


def test_the_user_field_is_known_by_the_header():
    text = "# m h dom mon dow user  command\n17 * * * * etl load_all\n"
    assert jobs(text) == [("17 * * * *", "load_all")]


def test_the_user_field_is_known_by_a_login_before_each_program():
    text = "0 1 * * * etl /opt/a.sh\n0 2 * * * root python b.py\n"
    assert [command for _, command in jobs(text)] == ["/opt/a.sh", "python b.py"]


def test_a_program_is_not_taken_for_a_user():
    text = "0 1 * * * python /opt/a.py\n0 2 * * * etl /opt/b\n"
    assert [command for _, command in jobs(text)] == ["python /opt/a.py", "etl /opt/b"]
