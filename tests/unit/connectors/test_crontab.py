"""A crontab and the scripts beside it, read from real files."""

import asyncio

import pytest

from swarm.config import Settings, Source, SqlConnection
from swarm.connectors.crontab import connect
from swarm.model.lineage import Access, Evidence, Unresolved, UnresolvedReason
from swarm.model.pipelines import Cron, Inventory, Pipeline


class Crontab:
    """A folder with a crontab, and what a pass says."""

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir()
        self.settings = Settings()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return self

    def batches(self, cursor=None):
        source = Source(kind="crontab", path=self.folder / "crontab")
        connector = connect(source, self.settings)

        async def observe():
            return [batch async for batch in connector.observe(cursor)]

        return asyncio.run(observe())

    def items(self, kind):
        return [i for batch in self.batches() for i in batch.items if isinstance(i, kind)]

    def touches(self):
        return {(e.task.pipeline, e.access, e.dataset.name) for e in self.items(Evidence)}

    def names(self):
        return [p.key.name for p in self.items(Pipeline)]


@pytest.fixture
def cron(tmp_path):
    return Crontab(tmp_path / "ops")


def test_a_line_is_a_pipeline_named_by_its_script(cron):
    cron.write("crontab", "0 1 * * * python jobs/load.py\n@daily echo hello world\n")
    cron.write("jobs/load.py", "")
    first, second = cron.items(Pipeline)
    assert (first.key.name, first.schedule, len(first.tasks)) == ("load", "0 1 * * *", 1)
    assert (second.key.name, second.schedule) == ("echo-hello-world", "@daily")
    assert cron.items(Inventory) == [Inventory("crontab", ("load", "echo-hello-world"))]


def test_a_line_tells_its_starts_where_the_crontab_says_by_which_clock(cron):
    cron.write("crontab", "0 1 * * * load one\nCRON_TZ=Europe/Rome\n0 2 * * * load two\n")
    first, second = cron.items(Pipeline)
    assert (first.crons, second.crons) == ((), (Cron("0 2 * * *", "Europe/Rome"),))


def test_a_line_around_which_swarm_runs_is_named_as_it_says(cron):
    line = "cd /opt && swarm run {} -- sqlite3 lake.db 'INSERT INTO sums SELECT * FROM orders'\n"
    cron.write("crontab", "".join(f"0 1 * * * {line}".format(n) for n in ("crontab/a", "b")))
    assert cron.names() == ["a", "b"]
    assert {(p, n) for p, access, n in cron.touches() if access is Access.READ} == {
        ("a", "orders"),
        ("b", "orders"),
    }
    assert cron.items(Unresolved) == []


def test_equal_names_are_numbered_in_the_order_of_the_lines(cron):
    cron.write("crontab", "0 1 * * * sh a/run.sh\n0 2 * * * sh b/run.sh\n0 3 * * * sh c/run.sh\n")
    assert cron.names() == ["run", "run#2", "run#3"]


@pytest.mark.parametrize(
    "command",
    [
        "sqlite3 lake.db < jobs/x.sql",
        "psql -d lake -f jobs/x.sql",
        "cd /opt/etl && psql -f jobs/x.sql >> /var/log/x.log 2>&1",
        "python jobs/x.py --day $(date +\\%F)",
        "sh jobs/x.sh",
        "sqlite3 lake.db 'INSERT INTO sums SELECT * FROM orders'",
        "psql lake%INSERT INTO sums%SELECT * FROM orders",
        "env A=b nice -n 10 python3 jobs/x.py",
        "swarm run nightly -- python3 jobs/x.py",
    ],
)
def test_what_a_command_runs_tells_what_it_touches(cron, command):
    sql = "INSERT INTO sums SELECT * FROM orders"
    cron.write("crontab", f"0 1 * * * {command}\n")
    cron.write("jobs/x.sql", sql)
    cron.write("jobs/x.py", f"import sqlite3\nsqlite3.connect('lake.db').execute('{sql}')\n")
    cron.write("jobs/x.sh", "set -e\npsql -f jobs/x.sql\n")
    found = {(access, name) for _, access, name in cron.touches()}
    assert {(Access.WRITE, "sums"), (Access.READ, "orders")} <= found
    assert cron.items(Unresolved) == []


def test_variables_of_the_crontab_are_known_to_paths_and_code(cron):
    cron.write("crontab", "JOBS=jobs\nTARGET=mart\n0 1 * * * python $JOBS/x.py\n")
    cron.write(
        "jobs/x.py",
        "import os, sqlite3\nt = os.environ['TARGET']\n"
        "sqlite3.connect('a.db').execute(f'INSERT INTO {t} SELECT * FROM src')\n",
    )
    assert ("x", Access.WRITE, "mart") in cron.touches()


def test_code_folders_are_read_too_and_nothing_outside_of_them(cron, tmp_path):
    sql = "INSERT INTO {} SELECT * FROM src"
    (tmp_path / "checkout" / "etl").mkdir(parents=True)
    (tmp_path / "checkout" / "etl" / "in.sql").write_text(sql.format("inside"))
    (tmp_path / "secret.sql").write_text(sql.format("outside"))
    (cron.folder / "link.sql").symlink_to(tmp_path / "secret.sql")
    cron.settings = Settings(code=(tmp_path / "checkout",))
    cron.write(
        "crontab",
        f"0 1 * * * psql -f /srv/etl/in.sql\n0 2 * * * psql -f {tmp_path}/secret.sql\n"
        "0 3 * * * psql -f link.sql\n",
    )
    assert {name for _, access, name in cron.touches() if access is Access.WRITE} == {"inside"}
    missing = [u for u in cron.items(Unresolved) if u.reason is UnresolvedReason.MISSING_SOURCE]
    assert [u.subject for u in missing] == ["crontab/secret/secret", "crontab/link/link"]


def test_a_program_nobody_can_read_is_reported_with_its_line(cron):
    cron.write("crontab", "# x\n0 1 * * * /usr/local/bin/mystery --all\n")
    (found,) = cron.items(Unresolved)
    assert found.reason is UnresolvedReason.MISSING_SOURCE
    assert found.place == "crontab:2"
    assert "mystery" in found.detail


def test_broken_lines_are_named_and_no_pipeline_is_declared_gone(cron):
    cron.write("crontab", "0 1 * * * true\n61 1 * * * true\n")
    (found,) = cron.items(Unresolved)
    assert (found.reason, found.place) == (UnresolvedReason.MALFORMED, "crontab:2")
    assert cron.names() == ["true"]
    assert cron.items(Inventory) == []


def test_the_configured_server_of_a_database_is_used(cron):
    cron.settings = Settings(connections={"lake.db": SqlConnection(namespace="warehouse://x")})
    cron.write("crontab", "0 1 * * * sqlite3 lake.db 'INSERT INTO a SELECT * FROM b'\n")
    assert {e.dataset.namespace for e in cron.items(Evidence)} == {"warehouse://x"}


def test_a_changed_script_is_news_and_nothing_else_is(cron):
    cron.write("crontab", "0 1 * * * psql -f x.sql\n").write("x.sql", "DELETE FROM a")
    cursor = cron.batches()[-1].cursor
    assert cron.batches(cursor) == []
    cron.write("x.sql", "DELETE FROM b")
    assert cron.batches(cursor) != []


@pytest.mark.parametrize(
    "command",
    [
        "python {jobs}/x.py",
        "cd {jobs} && python x.py",
        "cd {jobs}; ./x.sh",
        "cd {jobs}/.. && sh ./jobs/x.sh",
        "if cd {jobs}; then python3 x.py; fi",
        "(cd {jobs} && python x.py)",
        "cd /srv/jobs && python x.py",  # the same checkout, elsewhere
        "cd $APP && python jobs/x.py",
    ],
)
def test_a_script_in_a_code_folder_is_found_from_where_the_line_goes(cron, tmp_path, command):
    jobs = tmp_path / "opt" / "jobs"
    jobs.mkdir(parents=True)
    (jobs / "x.py").write_text("import sqlite3\nsqlite3.connect('l').execute('DELETE FROM inside')")
    (jobs / "x.sh").write_text("set -e\npython x.py\n")
    cron.settings = Settings(code=(tmp_path / "opt",))
    cron.write("crontab", f"0 1 * * * {command.format(jobs=jobs)}\n")
    cron.write("x.py", "import sqlite3\nsqlite3.connect('l').execute('DELETE FROM decoy')")
    assert {name for _, _, name in cron.touches()} == {"inside"}
    assert cron.items(Unresolved) == []


@pytest.mark.parametrize("command", ["cd /elsewhere && python x.py", "cd $APP && python x.py"])
def test_a_namesake_in_another_folder_is_not_taken_for_the_script(cron, command):
    cron.write("crontab", f"0 1 * * * {command}\n")
    cron.write("x.py", "import sqlite3\nsqlite3.connect('l').execute('DELETE FROM decoy')")
    assert cron.touches() == set()
    assert [u.reason for u in cron.items(Unresolved)] == [UnresolvedReason.MISSING_SOURCE]


def test_a_program_reads_its_own_files_from_where_the_line_goes(cron, tmp_path):
    cron.write("crontab", "0 1 * * * cd jobs && python bin/x.py\n")
    cron.write(
        "jobs/bin/x.py",
        "import sqlite3\nsqlite3.connect('l').execute(open('sql/q.sql').read())\n",
    )
    cron.write("jobs/sql/q.sql", "DELETE FROM right_one")
    cron.write("sql/q.sql", "DELETE FROM decoy")
    assert {name for _, _, name in cron.touches()} == {"right_one"}


def test_what_is_too_large_to_be_read_is_reported_with_the_crontab(cron):
    cron.write("crontab", "0 1 * * * true\n").write("seed.sql", "x" * 1_000_100)
    (found,) = cron.items(Unresolved)
    assert (found.subject, found.reason) == ("crontab", UnresolvedReason.TOO_LARGE)
    assert found.place.endswith("/seed.sql")
    assert cron.items(Inventory) == [Inventory("crontab", ("true",))]
