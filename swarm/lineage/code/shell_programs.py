"""What the programs that a shell command starts do with data: SQL clients, copies, scripts."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from swarm.model.lineage import Access


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command: SQL texts and files that run on `server`, a script, file accesses.

    `folder` is where the `cd` commands before it lead, seen from where the text starts; `missing`
    says what of the command is not known.
    """

    server: str = ""
    sql: tuple[str, ...] = ()
    sql_files: tuple[str, ...] = ()
    script: str = ""
    arguments: tuple[str, ...] = ()
    paths: tuple[tuple[Access, str], ...] = ()
    missing: str = ""
    folder: str = ""


_PYTHON = re.compile(r"^(?:python|pypy)[\d.]*$")


def _options(words: Sequence[str], with_value: str) -> tuple[dict[str, list[str]], list[str]]:
    """Options that take a value (`-f x`, `-fx`, `--file=x`) and the words that are no options."""
    takes = set(with_value.split())
    found: dict[str, list[str]] = {}
    rest: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        name, equals, value = word.partition("=")
        short = word[:2]
        if word in takes and at + 1 < len(words):
            at += 1
            found.setdefault(word, []).append(words[at])
        elif equals and name in takes:
            found.setdefault(name, []).append(value)
        elif short in takes and not word.startswith("--") and len(word) > 2:
            found.setdefault(short, []).append(word[2:])
        elif not word.startswith("-") or word == "-":
            rest.append(word)
        at += 1
    return found, rest


def _first(found: Mapping[str, list[str]], *names: str) -> str:
    return next((found[name][0] for name in names if name in found), "")


def _all(found: Mapping[str, list[str]], *names: str) -> tuple[str, ...]:
    return tuple(value for name in names for value in found.get(name, []))


def _psql(words: list[str], inputs: list[str], outputs: list[str]) -> Command:
    found, rest = _options(
        words,
        "-c --command -f --file -d --dbname -h --host -p --port -U --username -v --set "
        "--variable -o --output -P -F -R -T",
    )
    server = _first(found, "-d", "--dbname") or (rest[0] if rest else "")
    files = (*_all(found, "-f", "--file"), *inputs)
    sql = _all(found, "-c", "--command")
    return Command(server, sql, files, paths=redirected([], outputs))


def _sqlite(words: list[str], inputs: list[str], outputs: list[str]) -> Command:
    found, rest = _options(words, "-cmd -init -separator -nullvalue -newline")
    server = rest[0] if rest else ""
    dotted = [w.removeprefix(".read").strip() for w in rest[1:] if w.startswith(".read")]
    sql = tuple(w for w in rest[1:] if not w.startswith("."))
    files = (*_all(found, "-init"), *dotted, *inputs)
    return Command(server, sql, files, paths=redirected([], outputs))


def _duckdb(words: list[str], inputs: list[str], outputs: list[str]) -> Command:
    found, rest = _options(words, "-c -s -f -cmd -init")
    sql = (*_all(found, "-c", "-s"), *rest[1:])
    files = (*_all(found, "-f", "-init"), *inputs)
    return Command(rest[0] if rest else "", sql, files, paths=redirected([], outputs))


def _mysql(words: list[str], inputs: list[str], outputs: list[str]) -> Command:
    found, rest = _options(words, "-e --execute -h --host -u --user -P --port -D --database")
    server = _first(found, "-D", "--database") or (rest[0] if rest else "")
    sql = _all(found, "-e", "--execute")
    return Command(server, sql, tuple(inputs), paths=redirected([], outputs))


def _snowsql(words: list[str], inputs: list[str], outputs: list[str]) -> Command:
    found, _ = _options(words, "-q --query -f --filename -c --connection -d --dbname -a -u")
    server = _first(found, "-c", "--connection", "-d", "--dbname")
    files = (*_all(found, "-f", "--filename"), *inputs)
    return Command(server, _all(found, "-q", "--query"), files, paths=redirected([], outputs))


def _spark_sql(words: list[str], inputs: list[str], outputs: list[str]) -> Command:
    found, _ = _options(words, "-e -f --database --conf --hiveconf -i")
    server = _first(found, "--database")
    files = (*_all(found, "-f", "-i"), *inputs)
    return Command(server, _all(found, "-e"), files, paths=redirected([], outputs))


def _bq(words: list[str], inputs: list[str], outputs: list[str]) -> Command | None:
    _, rest = _options(words, "--project_id --location --dataset_id")
    if rest[:1] != ["query"]:
        return Command(missing=f"`bq {' '.join(rest[:1])}` is not known") if rest else None
    return Command("", tuple(rest[1:]), tuple(inputs), paths=redirected([], outputs))


def _python(words: list[str], inputs: list[str], outputs: list[str]) -> Command | None:
    paths = redirected(inputs, outputs)
    if "-c" in words:
        return Command(missing="Python code in a command line is not read", paths=paths)
    if "-m" in words[:-1]:
        at = words.index("-m") + 1
        script = words[at].replace(".", "/") + ".py"
        return Command(script=script, arguments=tuple(words[at + 1 :]), paths=paths)
    _, rest = _options(words, "-W -X")
    if not rest:
        return None
    at = words.index(rest[0])
    return Command(script=rest[0], arguments=tuple(words[at + 1 :]), paths=paths)


def _shell(words: list[str], inputs: list[str], outputs: list[str]) -> Command | None:
    _, rest = _options(words, "-o")
    paths = redirected([], outputs)
    script = rest[0] if rest else (inputs[0] if inputs else "")
    return Command(script=script, paths=paths) if script else None


def _copy(words: list[str], inputs: list[str], outputs: list[str]) -> Command | None:
    rest = [word for word in words if not word.startswith("-")]
    if len(rest) < 2:
        return None
    reads = [(Access.READ, path) for path in rest[:-1]]
    return Command(paths=(*reads, (Access.WRITE, rest[-1])))


def _aws(words: list[str], inputs: list[str], outputs: list[str]) -> Command | None:
    rest = [word for word in words if not word.startswith("-")]
    if rest[:1] in (["s3"], ["cp"], ["mv"], ["rsync"]):
        verb = rest[1:] if rest[0] == "s3" else rest
        if verb[:1] in (["cp"], ["mv"], ["sync"], ["rsync"]) and len(verb) >= 3:
            return Command(paths=((Access.READ, verb[1]), (Access.WRITE, verb[2])))
        return None
    return Command(missing=f"`aws {' '.join(rest[:1])}` is not known") if rest else None


def redirected(inputs: list[str], outputs: list[str]) -> tuple[tuple[Access, str], ...]:
    found = [(Access.READ, path) for path in inputs] + [(Access.WRITE, path) for path in outputs]
    return tuple((a, p) for a, p in found if p and not p.startswith(("/dev/", "&")))


Program = Callable[[list[str], list[str], list[str]], Command | None]
_PROGRAMS: Mapping[str, Program] = {
    "psql": _psql,
    "sqlite3": _sqlite,
    "duckdb": _duckdb,
    "mysql": _mysql,
    "mariadb": _mysql,
    "snowsql": _snowsql,
    "spark-sql": _spark_sql,
    "beeline": _spark_sql,
    "hive": _spark_sql,
    "bq": _bq,
    "spark-submit": _python,
    "sh": _shell,
    "bash": _shell,
    "cp": _copy,
    "mv": _copy,
    "rsync": _copy,
    "aws": _aws,
    "gsutil": _aws,
}


def program_of(name: str) -> Program | None:
    """How the words after a program's name are read; `None` for a program that is not known."""
    return _PROGRAMS.get(name) or (_python if _PYTHON.match(name) else None)
