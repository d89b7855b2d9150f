"""What a program reads and writes, by style of code."""

from textwrap import dedent

import pytest

from swarm.lineage.code.entry import extract_code, extract_shell
from swarm.lineage.text import CodeContext, SqlContext
from swarm.model.lineage import Extraction, UnresolvedReason

LAKE = SqlContext("sqlite", "sqlite:///lake.db")
OTHER = SqlContext("postgres", "postgres://other:5432")
CONTEXT = CodeContext({"LAKE_DB": LAKE, "lake": LAKE, "other": OTHER}, LAKE, {})


def seen(found: Extraction) -> set[str]:
    """`read x` and `write x`; the namespace is told only where it is not the lake's."""
    return {
        f"{t.access} {t.dataset.name if t.dataset.namespace == LAKE.namespace else t.dataset}"
        for t in found.touches
    }


def run(source: str, entry: str = "job.py:main", context: CodeContext = CONTEXT, **more: str):
    modules = {"job.py": dedent(source)}
    modules.update({name.replace("__", "/") + ".py": dedent(text) for name, text in more.items()})
    return extract_code(modules, entry, context)


def exactly(found: Extraction, *expected: str) -> None:
    assert seen(found) == set(expected)
    assert found.unresolved == ()


# --- styles of code --------------------------------------------------------------------------


def test_cursor_of_a_connection_in_a_with_statement():
    found = run(
        """
        import sqlite3
        from contextlib import closing
        DB = "x.db"
        def main():
            with closing(sqlite3.connect(DB)) as conn, conn:
                cur = conn.cursor()
                cur.execute("SELECT * FROM orders")
                cur.executemany("INSERT INTO daily VALUES (?)", [(1,)])
                conn.executescript("DELETE FROM a; INSERT INTO a SELECT * FROM b")
        """
    )
    exactly(found, "read orders", "write daily", "write a", "read b")
    assert {t.place for t in found.touches} == {"job.py:8", "job.py:9", "job.py:10"}


def test_helper_function_that_runs_sql():
    found = run(
        """
        import sqlite3
        def run_sql(sql, *args):
            with sqlite3.connect("lake") as conn:
                return conn.execute(sql, *args).fetchall()
        def main():
            run_sql("INSERT INTO t SELECT * FROM s WHERE d = ?", ("x",))
        """
    )
    exactly(found, "write t", "read s")


def test_helper_in_another_module_and_constants_imported_from_it():
    found = run(
        """
        from lib.db import run_sql, TABLES as NAMES
        from lib import names
        def main():
            run_sql(f"INSERT INTO {names.TARGET} SELECT * FROM {NAMES['orders']}")
        """,
        lib__db="""
        import psycopg2
        TABLES = {"orders": "sales.orders"}
        def run_sql(text):
            conn = psycopg2.connect(host="h")
            conn.cursor().execute(text)
        """,
        lib__names="TARGET = '.'.join(['sales', 'daily'])",
    )
    exactly(found, "write sales.daily", "read sales.orders")


def test_relative_import_inside_a_package():
    modules = {
        "pkg/__init__.py": "",
        "pkg/a.py": "from .b import go\nfrom . import c\ndef main():\n    go(c.NAME)\n",
        "pkg/b.py": "import duckdb\ndef go(t):\n    duckdb.connect('lake').sql(f'FROM {t}')\n",
        "pkg/c.py": "NAME = 'web'\n",
    }
    exactly(extract_code(modules, "pkg/a.py:main", CONTEXT), "read web")


def test_loop_over_constant_tables_gives_each():
    found = run(
        """
        PAIRS = [("a", "a2"), ("b", "b2")]
        def main(conn):
            for source, target in PAIRS:
                conn.execute(f"INSERT INTO {target} SELECT * FROM {source}")
        """
    )
    exactly(found, "read a", "write a2", "read b", "write b2")


def test_every_way_to_build_a_text():
    found = run(
        """
        import os
        from pathlib import Path
        SCHEMA = "s"
        def main(conn, table="e"):
            conn.execute("SELECT * FROM " + SCHEMA + ".a")
            conn.execute("SELECT * FROM {}.b".format(SCHEMA))
            conn.execute("SELECT * FROM {schema}.c".format(schema=SCHEMA))
            conn.execute("SELECT * FROM %s.d" % SCHEMA)
            conn.execute("SELECT * FROM %(x)s.%(y)s" % {"x": SCHEMA, "y": table})
            query = "SELECT * FROM s.f"
            query += " JOIN s.g USING (id)"
            conn.execute(query)
            lines = ["SELECT *"]
            lines.append("FROM s.h")
            conn.execute(" ".join(lines).strip())
            open(os.path.join("/lake", "x", f"{SCHEMA}.csv"))
            open(Path("/lake") / "y" / (SCHEMA + ".csv"))
        """
    )
    tables = {f"read s.{name}" for name in "abcdefgh"}
    exactly(found, *tables, "read file//lake/x/s.csv", "read file//lake/y/s.csv")


def test_conditional_expression_gives_both():
    found = run(
        """
        def main(conn, full):
            table = "a" if full else "b"
            conn.execute(f"DELETE FROM {table}")
            if full:
                name = "c"
            else:
                name = "d"
            conn.execute(f"DELETE FROM {name}")
        """
    )
    exactly(found, "write a", "write b", "write c", "write d")


def test_class_with_inherited_methods_and_attributes():
    found = run(
        """
        import sqlite3
        class Base:
            target = None
            def __init__(self, db):
                self.conn = sqlite3.connect(db)
            def run(self):
                self.before()
                self.conn.execute(f"INSERT INTO {self.target} {self.query()}")
            def before(self):
                pass
        class Orders(Base):
            target = "orders_clean"
            def query(self):
                return "SELECT * FROM " + self.source
            @property
            def source(self):
                return "orders"
            def before(self):
                super().before()
                self.conn.execute("DELETE FROM orders_clean")
        def main():
            Orders("lake").run()
        """
    )
    exactly(found, "write orders_clean", "read orders")


def test_entry_may_be_a_method():
    source = """
        class Job:
            def run(self):
                self.helper("SELECT * FROM a")
            def helper(self, sql):
                engine.execute(sql)
            def other(self):
                engine.execute("SELECT * FROM b")
        """
    exactly(run(source, "job.py:Job.run"), "read a")


def test_dataclass_fields_and_enum_members():
    found = run(
        """
        from dataclasses import dataclass
        from enum import Enum
        class Table(str, Enum):
            ORDERS = "orders"
        @dataclass
        class Step:
            source: str
            target: str = "t"
        def main(conn):
            step = Step(Table.ORDERS.value, target="t2")
            conn.execute(f"INSERT INTO {step.target} SELECT * FROM {step.source}")
        """
    )
    exactly(found, "read orders", "write t2")


def test_constructor_gets_its_arguments_by_name():
    found = run(
        """
        class Load:
            def __init__(self, table):
                conn.execute(f"DELETE FROM {table}")
        def main():
            Load(table="a")
            Load("b")
        """
    )
    exactly(found, "write a", "write b")


def test_decorator_of_the_program_that_hands_in_a_connection():
    found = run(
        """
        import functools, sqlite3
        def with_conn(name):
            def wrap(f):
                @functools.wraps(f)
                def inner(*args, **kwargs):
                    with sqlite3.connect(name) as conn:
                        return f(conn, *args, **kwargs)
                return inner
            return wrap
        @with_conn("other")
        def load(conn, table):
            conn.execute(f"INSERT INTO {table} VALUES (1)")
        def main():
            load("t")
        """
    )
    assert seen(found) == {"write postgres://other:5432/t"}


def test_context_manager_function_and_generator():
    found = run(
        """
        import sqlite3
        from contextlib import contextmanager
        @contextmanager
        def db():
            conn = sqlite3.connect("lake")
            try:
                yield conn
            finally:
                conn.close()
        def names():
            yield "a"
            yield "b"
        def main():
            with db() as conn:
                for name in names():
                    conn.execute(f"DELETE FROM {name}")
        """
    )
    exactly(found, "write a", "write b")


def test_functions_handed_to_a_pool_a_thread_and_partial():
    found = run(
        """
        import threading
        from concurrent.futures import ThreadPoolExecutor
        from functools import partial
        def load(table, conn=None):
            conn.execute(f"DELETE FROM {table}")
        def main():
            with ThreadPoolExecutor() as pool:
                pool.submit(load, "a")
                list(pool.map(load, ["b", "c"]))
            threading.Thread(target=load, args=("d",)).start()
            partial(load, "e")()
        """
    )
    exactly(found, *(f"write {name}" for name in "abcde"))


def test_async_functions():
    found = run(
        """
        import asyncio, asyncpg
        async def load():
            conn = await asyncpg.connect("lake")
            async with conn.transaction():
                rows = await conn.fetch("SELECT * FROM a WHERE id = $1", 1)
                await conn.execute("DELETE FROM b")
        def main():
            asyncio.run(load())
        """
    )
    exactly(found, "read a", "write b")


def test_recursion_ends():
    found = run(
        """
        def main(conn, n=3):
            conn.execute("DELETE FROM a")
            other(conn, n)
        def other(conn, n):
            main(conn, n - 1)
            other(conn, n)
        """
    )
    exactly(found, "write a")


def test_script_runs_its_main_block_and_a_function_entry_does_not():
    source = """
        import sqlite3
        conn = sqlite3.connect("lake")
        conn.execute("DELETE FROM at_import")
        def main():
            conn.execute("DELETE FROM in_main")
        if __name__ == "__main__":
            conn.execute("DELETE FROM as_script")
            main()
        """
    exactly(run(source, "job.py"), "write at_import", "write as_script", "write in_main")
    exactly(run(source), "write in_main")


def test_values_of_the_environment():
    source = """
        import os
        LAKE = os.environ["LAKE"]
        def main():
            open(f"{LAKE}/a.csv")
            open(os.environ.get("OUT", "/out") + "/b.csv", "w")
        """
    known = CodeContext({}, LAKE, {"LAKE": "/lake"})
    exactly(run(source, context=known), "read file//lake/a.csv", "write file//out/b.csv")
    unknown = run(source)
    assert seen(unknown) == {"write file//out/b.csv"}
    (one,) = unknown.unresolved
    assert one.reason is UnresolvedReason.DYNAMIC
    assert one.place == "job.py:5"
    assert "LAKE" in one.detail


def test_a_default_of_the_environment_rules_out_no_branch():
    found = run(
        """
        import os
        MODE = os.environ.get("MODE", "full")
        def main(conn):
            if MODE == "full":
                conn.execute("DELETE FROM a")
            else:
                conn.execute("DELETE FROM b")
        """
    )
    exactly(found, "write a", "write b")


# --- on which server -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "connect",
    [
        'sqlite3.connect("other")',
        "sqlite3.connect(other)",
        'sqlite3.connect(os.environ["other"])',
        'create_engine(os.getenv("other")).connect()',
        'SqliteHook("other").get_conn()',
        'PostgresHook(postgres_conn_id="other").get_conn().cursor()',
        "Session(create_engine(config.other))",
    ],
)
def test_server_by_value_or_by_the_name_of_the_variable(connect: str):
    found = run(
        f"""
        import os, sqlite3, config
        from sqlalchemy import create_engine
        from sqlalchemy.orm import Session
        from airflow.providers.sqlite.hooks.sqlite import SqliteHook
        from airflow.providers.postgres.hooks.postgres import PostgresHook
        def main(other):
            conn = {connect}
            conn.execute("DELETE FROM t")
        """
    )
    assert seen(found) == {"write postgres://other:5432/t"}


def test_url_and_path_are_the_same_sqlite_file():
    context = CodeContext({"/data/lake.db": OTHER}, LAKE)
    found = run(
        """
        from sqlalchemy import create_engine, text
        def main():
            with create_engine("sqlite:////data/lake.db").begin() as conn:
                conn.execute(text("DELETE FROM t"))
        """,
        context=context,
    )
    assert seen(found) == {"write postgres://other:5432/t"}


def test_database_in_memory_is_nobody_elses():
    found = run(
        """
        import sqlite3, duckdb
        def main():
            sqlite3.connect(":memory:").execute("CREATE TABLE orders (id int)")
            con = duckdb.connect()
            con.execute("CREATE TABLE work AS SELECT 1")
            con.sql("SELECT * FROM work")
        """
    )
    exactly(found)


def test_temporary_table_of_an_earlier_statement_is_no_dataset():
    found = run(
        """
        def main(conn):
            conn.execute("CREATE TEMP TABLE work AS SELECT * FROM a")
            conn.execute("INSERT INTO b SELECT * FROM work")
        """
    )
    exactly(found, "read a", "write b")


# --- what cannot be known --------------------------------------------------------------------


def test_unknown_part_of_a_text_keeps_the_rest():
    found = run(
        """
        def main(conn, day):
            conn.execute(f"INSERT INTO t SELECT * FROM s WHERE d = '{day}'")
        """
    )
    exactly(found, "write t", "read s")


def test_unknown_table_sql_and_path_are_unresolved_and_never_guessed():
    found = run(
        """
        import json, sys
        import pandas as pd
        def main(conn, table):
            conn.execute(f"INSERT INTO {table} SELECT * FROM s")
            conn.execute(json.loads(sys.argv[1])["sql"])
            pd.read_csv(sys.argv[2])
            pd.DataFrame().to_sql(sys.argv[3], conn)
        """
    )
    assert seen(found) == {"read s"}
    assert [u.place for u in found.unresolved] == [f"job.py:{n}" for n in (5, 6, 7, 8)]
    assert {u.reason for u in found.unresolved} == {UnresolvedReason.DYNAMIC}


def test_helper_whose_source_is_missing_and_gets_sql():
    found = run(
        """
        from company.warehouse import run_query
        def main():
            run_query("DELETE FROM orders")
        """
    )
    assert seen(found) == set()
    (one,) = found.unresolved
    assert one.reason is UnresolvedReason.MISSING_SOURCE
    assert "`run_query` of module `company.warehouse`" in one.detail


def test_source_that_does_not_parse():
    (one,) = run("def main(:\n  pass").unresolved
    assert one.reason is UnresolvedReason.SYNTAX
    assert one.place == "job.py:1"


def test_source_of_two_megabytes():
    (one,) = run("x = 1\n" * 350_000).unresolved
    assert one.reason is UnresolvedReason.TOO_LARGE


def test_missing_file_and_missing_function():
    assert extract_code({}, "a.py:f", CONTEXT).unresolved[0].reason is (
        UnresolvedReason.MISSING_SOURCE
    )
    (one,) = run("x = 1").unresolved
    assert one.reason is UnresolvedReason.MISSING_SOURCE
    assert "main" in one.detail


def test_program_that_would_take_forever_to_walk_is_cut_and_says_so():
    nest = "".join("    " * (i + 1) + f"for i{i} in range(40):\n" for i in range(6))
    found = run("def main(conn):\n" + nest + "    " * 7 + "conn.execute('DELETE FROM t')\n")
    assert seen(found) == {"write t"}
    assert found.unresolved[0].reason is UnresolvedReason.TOO_LARGE


# --- decoys ----------------------------------------------------------------------------------


def test_decoys_yield_nothing():
    found = run(
        '''
        """SELECT * FROM docstring"""
        import logging
        log = logging.getLogger(__name__)
        SQL = "DELETE FROM constant"
        DEBUG = False
        def never(conn):
            conn.execute("DELETE FROM uncalled")
        class Unused:
            def run(self, conn):
                conn.execute("DELETE FROM unused")
        def main(conn):
            """DELETE FROM docstring"""
            # conn.execute("DELETE FROM comment")
            log.info("INSERT INTO logged SELECT * FROM %s", SQL)
            print("SELECT * FROM printed")
            text = "SELECT * FROM assigned"
            if False:
                conn.execute("DELETE FROM dead1")
            if 0 or DEBUG:
                conn.execute("DELETE FROM dead2")
            if not DEBUG:
                conn.execute("DELETE FROM alive")
            else:
                conn.execute("DELETE FROM dead3")
            while False:
                conn.execute("DELETE FROM dead4")
            def inner():
                conn.execute("DELETE FROM dead5")
            for name in []:
                conn.execute("DELETE FROM dead6")
            if text:
                return text
            conn.execute("DELETE FROM dead7")
        '''
    )
    exactly(found, "write alive")


def test_code_after_raise_and_after_both_branches_returned():
    found = run(
        """
        def main(conn, x):
            if x:
                conn.execute("DELETE FROM a")
                return
            else:
                conn.execute("DELETE FROM b")
                raise ValueError("no")
            conn.execute("DELETE FROM dead")
        """
    )
    exactly(found, "write a", "write b")


def test_shadowed_names():
    found = run(
        """
        import pandas as pd
        SQL = "DELETE FROM outer"
        class Frames:
            def read_csv(self, path):
                return None
        class Runner:
            def execute(self, text):
                return text
        def open(path):
            return path
        def main(conn):
            SQL = "DELETE FROM inner_one"
            conn.execute(SQL)
            pd = Frames()
            pd.read_csv("/lake/decoy.csv")
            Runner().execute("DELETE FROM decoy")
            open("/lake/decoy.txt")
        """
    )
    exactly(found, "write inner_one")


def test_text_that_is_no_sql_is_not_taken_for_it():
    found = run(
        """
        def main(client, job):
            client.run("select")
            client.query("orders of today")
            job.run()
            "a b".join(["x"])
        """
    )
    exactly(found)


# --- commands --------------------------------------------------------------------------------


def test_sql_clients_started_as_commands():
    modules = {
        "jobs/job.py": dedent(
            """
            import os, subprocess
            def main():
                subprocess.run(["psql", "-d", "other", "-f", "sql/a.sql"], check=True)
                os.system("sqlite3 lake < sql/b.sql")
                subprocess.check_call('psql other -c "DELETE FROM c"', shell=True)
            """
        ),
        "jobs/sql/a.sql": "DELETE FROM a",
        "jobs/sql/b.sql": "INSERT INTO b SELECT * FROM b0",
    }
    found = extract_code(modules, "jobs/job.py:main", CONTEXT)
    other = "postgres://other:5432"
    exactly(found, f"write {other}/a", f"write {other}/c", "write b", "read b0")


def test_sql_file_read_by_the_program_is_its_text_and_no_data():
    modules = {
        "job.py": dedent(
            """
            from pathlib import Path
            HERE = Path(__file__).parent
            def main(conn):
                conn.execute((HERE / "sql" / "a.sql").read_text())
                with open("sql/b.sql") as file:
                    conn.execute(file.read())
            """
        ),
        "sql/a.sql": "DELETE FROM a",
        "sql/b.sql": "DELETE FROM b",
    }
    exactly(extract_code(modules, "job.py:main", CONTEXT), "write a", "write b")


def test_shell_command_follows_scripts_and_reports_what_it_does_not_know():
    modules = {
        "/jobs/load.py": "import sqlite3\nsqlite3.connect('lake').execute('DELETE FROM a')\n",
        "/jobs/all.sh": "#!/bin/sh\nset -e\ncd /jobs\npython3 load.py --day 1 > /tmp/log.txt\n",
    }
    found = extract_shell(
        "export A=1; /jobs/all.sh && cp /lake/x.csv /out/x.csv 2> /dev/null; frobnicate",
        modules,
        CONTEXT,
        "dag.py:3",
    )
    assert seen(found) == {
        "write a",
        "write file//tmp/log.txt",
        "read file//lake/x.csv",
        "write file//out/x.csv",
    }
    (one,) = found.unresolved
    assert one.reason is UnresolvedReason.MISSING_SOURCE
    assert "frobnicate" in one.detail


def test_helper_called_many_times_is_read_each_time_its_object_changed():
    """Walks are remembered after a few; a changed attribute makes a new walk."""
    calls = "\n".join(f"            job.table = 't{i}'\n            job.run()" for i in range(12))
    found = run(
        f"""
        class Job:
            def run(self):
                conn.execute(f"DELETE FROM {{self.table}}")
        def main():
            job = Job()
{calls}
        """
    )
    exactly(found, *(f"write t{i}" for i in range(12)))


@pytest.mark.parametrize(
    ("namesake", "hides"), [("jobs/sqlite3.py", True), ("bin/sqlite3.py", False)]
)
def test_a_namesake_hides_the_standard_library_only_from_scripts_beside_it(namesake, hides):
    modules = {
        "jobs/load.py": 'import sqlite3\nsqlite3.connect("lake")\n',
        namesake: "def connect(name):\n    open('/lake/x.csv').read()\n",
    }
    found = extract_code(modules, "jobs/load.py", CONTEXT)
    assert seen(found) == ({"read file//lake/x.csv"} if hides else set())


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("psql other <<SQL\nINSERT INTO a SELECT * FROM b\nSQL", {"write a", "read b"}),
        ('bash -c "cd /jobs && sh all.sh"', {"write x"}),
        ("cat /jobs/x.sql | sqlite3 lake", {"write x"}),
        ("python3 -c \"open('/lake/in.csv').read()\"", {"read file//lake/in.csv"}),
        ("cd /jobs && python3 -c 'import load; load.run()'", {"write y"}),
        ("cd /jobs && python3 - <<PY\nfrom load import run\nrun()\nPY", {"write y"}),
        ("sh /jobs/loop.sh", {"write x"}),
    ],
)
def test_programs_inside_of_commands(command: str, expected: set[str]):
    modules = {
        "/jobs/all.sh": "sqlite3 lake < x.sql",
        "/jobs/loop.sh": "sh /jobs/loop.sh; sh /jobs/all.sh; sh /jobs/loop.sh",
        "/jobs/x.sql": "DELETE FROM x",
        "/jobs/load.py": "import sqlite3\ndef run():\n"
        "    sqlite3.connect('lake').execute('DELETE FROM y')\n",
    }
    found = extract_shell(command, modules, CodeContext({"lake": LAKE, "other": LAKE}, LAKE), "c:1")
    exactly(found, *expected)


def test_python_in_a_command_tells_its_place_and_what_is_not_at_hand():
    found = extract_shell("python -c 'import x\nx.load()'", {}, CONTEXT, "jobs/crontab:3")
    (one,) = found.unresolved
    assert (one.reason, one.place) == (UnresolvedReason.MISSING_SOURCE, "jobs/crontab:3 python:2")


def test_python_in_a_command_that_is_made_at_run_time():
    found = run(
        """
        import subprocess
        def main(code):
            subprocess.run(["python", "-c", f"import x; x.{code}"])
        """
    )
    (one,) = found.unresolved
    assert (one.reason, one.place) == (UnresolvedReason.DYNAMIC, "job.py:4")
