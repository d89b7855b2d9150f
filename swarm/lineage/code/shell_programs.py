"""What the programs that a shell command starts do with data: SQL clients, copies, scripts."""

import re
from collections.abc import Callable, Mapping

from swarm.lineage.code.shell_client_table import ALIASES, CLIENTS
from swarm.lineage.code.shell_clients import (
    bq,
    client,
    fed_client,
    sqlplus,
    unquoted,
)
from swarm.lineage.code.shell_command import Command, Streams, options, redirected
from swarm.lineage.code.texts import shown
from swarm.model.lineage import Access

_TEXT_OPTION = re.compile(r"-[a-z]*c[a-z]*")
_PYTHON = re.compile(r"^(?:python|pypy)[\d.]*$")


def _python(words: list[str], streams: Streams) -> Command | None:
    paths = redirected(streams.files, streams.outputs)
    if "-c" in words[:-1]:
        at = words.index("-c") + 1
        return Command(code=words[at], arguments=tuple(words[at + 1 :]), paths=paths)
    if "-m" in words[:-1]:
        at = words.index("-m") + 1
        script = words[at].replace(".", "/") + ".py"
        return Command(script=script, arguments=tuple(words[at + 1 :]), paths=paths)
    _, rest = options(words, "-W -X")
    if rest and rest[0] != "-":
        at = words.index(rest[0])
        return Command(script=rest[0], arguments=tuple(words[at + 1 :]), paths=paths)
    if streams.texts:
        return Command(code=streams.texts[0], paths=redirected((), streams.outputs))
    return _fed(streams)


def _shell(words: list[str], streams: Streams) -> Command | None:
    paths = redirected((), streams.outputs)
    at = next((i for i, word in enumerate(words[:-1]) if _TEXT_OPTION.fullmatch(word)), None)
    joined = [word for word in words if word.startswith("-") and word.endswith("o")]
    _, rest = options(words, " ".join(["-o -O --rcfile --init-file", *joined]))
    if at is not None and (not rest or words.index(rest[0]) > at):  # `-c`, `-lc`, `-ec`
        return Command(text=words[at + 1], arguments=tuple(words[at + 3 :]), paths=paths)
    if rest:
        return Command(script=rest[0], arguments=tuple(rest[1:]), paths=paths)
    if streams.texts:
        return Command(text=streams.texts[0], paths=paths)
    return _fed(streams)


def _fed(streams: Streams) -> Command | None:
    """An interpreter that gets its program as input."""
    paths = redirected((), streams.outputs)
    if streams.files:
        return Command(script=streams.files[0], paths=paths)
    if streams.is_piped:
        return Command(missing="the program that is piped into a shell is not known", paths=paths)
    return None


def _copy(words: list[str], streams: Streams) -> Command | None:
    rest = [word for word in words if not word.startswith("-")]
    if len(rest) < 2:
        return None
    reads = [(Access.READ, path) for path in rest[:-1]]
    return Command(paths=(*reads, (Access.WRITE, rest[-1])))


def _cloud_copy(words: list[str], streams: Streams) -> Command | None:
    """`aws s3 cp a b`, `gsutil -m cp a b`, `gcloud storage cp a b`, `azcopy copy a b`."""
    found, rest = options(words, "--query-string --sql --profile --region --project --recursive-x")
    rest = [word for word in rest if word not in {"s3", "storage"}]
    sql = (*found.get("--query-string", ()), *found.get("--sql", ()))
    if sql:
        return fed_client("", tuple(sql), (), streams)
    if rest[:1] and rest[0] in _COPIES:
        if len(rest) < 3:
            return None
        reads = [(Access.READ, path) for path in rest[1:-1] if path != "-"]
        writes = [(Access.WRITE, path) for path in rest[-1:] if path != "-"]
        return Command(paths=(*reads, *writes))
    if rest[:1] and rest[0] in _SILENT_VERBS:
        return None
    return Command(missing=f"`{' '.join(rest[:2])}` is not known") if rest else None


def _hadoop(words: list[str], streams: Streams) -> Command | None:
    """`hdfs dfs -put a b`, `hadoop fs -cp a b`, `hadoop distcp a b`, `yarn jar x`."""
    if words[:1] == ["jar"]:
        return _java(["-jar", *words[1:]], streams)
    rest = [word for word in words if word not in _HADOOP_WORDS and not word.startswith("-D")]
    verb = rest[0].lstrip("-") if rest else ""
    if verb in _HADOOP_COPIES:
        return _copy(rest[1:], streams)
    if verb == "getmerge" and len(rest) > 2:
        return Command(paths=((Access.READ, rest[1]), (Access.WRITE, rest[2])))
    if verb in {"cat", "text", "tail"}:
        return Command(paths=tuple((Access.READ, path) for path in rest[1:]))
    return None if verb in _SILENT_HADOOP else Command(missing=f"`hadoop {verb}` is not known")


def _java(words: list[str], streams: Streams) -> Command | None:
    """`java -cp x Main ...`, `java -jar x.jar ...`: a program whose source is never at hand."""
    found, rest = options(words, "-cp -classpath --class-path -jar")
    jars = found.get("-jar", [])
    if not jars and not rest:
        return None
    at = words.index(jars[0] if jars else rest[0])
    missing = f"what the program `{shown(words[at])}` does is not known"
    given, paths = tuple(words[at + 1 :]), redirected(streams.files, streams.outputs)
    return Command(missing=missing, arguments=given, paths=paths)


def _sqoop(words: list[str], streams: Streams) -> Command | None:
    """`sqoop import --table t --hive-table h`, and `export` the other way."""
    found, rest = options(
        words,
        "--connect --table --hive-table --hive-database --target-dir --export-dir --query -e "
        "--username --password --password-file --split-by -m --columns --where --warehouse-dir "
        "--hcatalog-table --hcatalog-database --fields-terminated-by --check-column --last-value",
    )
    inside = Access.READ if rest[:1] == ["import"] else Access.WRITE
    outside = Access.WRITE if inside is Access.READ else Access.READ
    tables = [(inside, name) for name in found.get("--table", ())]
    for kind in ("--hive", "--hcatalog"):
        schema = "".join(f"{one}." for one in found.get(f"{kind}-database", ())[:1])
        tables += [(outside, schema + one) for one in found.get(f"{kind}-table", ())]
    folders = (*found.get("--target-dir", ()), *found.get("--export-dir", ()))
    return Command(
        sql=(*found.get("--query", ()), *found.get("-e", ())),
        tables=tuple(tables),
        paths=tuple((outside, path) for path in folders),
    )


def _spark_submit(words: list[str], streams: Streams) -> Command | None:
    """The program among the options, what follows it, and `--conf name=value`."""
    found, rest = options(
        words,
        "--class --master --deploy-mode --name --jars --packages --py-files --files --conf -c "
        "--driver-memory --driver-cores --executor-memory --executor-cores --num-executors "
        "--properties-file --queue --principal --keytab --archives --total-executor-cores "
        "--exclude-packages --repositories --driver-class-path --driver-java-options --proxy-user",
    )
    if not rest:
        return None
    at = list(words).index(rest[0])
    pairs = (text.partition("=") for text in (*found.get("--conf", ()), *found.get("-c", ())))
    settings = {name.strip(): unquoted(value) for name, _, value in pairs}
    if not rest[0].endswith(".py"):
        main = "".join(found.get("--class", ())[:1])
        missing = f"what the program `{shown(main or rest[0])}` does is not known"
        return Command(missing=missing, arguments=tuple(words[at + 1 :]))
    return Command(script=rest[0], arguments=tuple(words[at + 1 :]), given=settings)


_COPIES = frozenset({"cp", "mv", "sync", "rsync", "copy", "mvdir"})
_SILENT_NAMES = "ls rm mb rb presign du stat cat config sts iam rmdir"
_SILENT_VERBS = frozenset(_SILENT_NAMES.split())
_HADOOP_WORDS = frozenset({"dfs", "fs", "-f", "-p", "-overwrite", "-update"})
_HADOOP_NAMES = "put get cp mv copyFromLocal copyToLocal moveFromLocal distcp"
_HADOOP_COPIES = frozenset(_HADOOP_NAMES.split())
_SILENT_HADOOP_NAMES = "ls rm mkdir test chmod chown chgrp touchz du count stat setrep expunge rmr"
_SILENT_HADOOP = frozenset(_SILENT_HADOOP_NAMES.split())
Program = Callable[[list[str], Streams], Command | None]
_PROGRAMS: Mapping[str, Program] = {
    "bq": bq,
    "sqlplus": sqlplus,
    "spark-submit": _spark_submit,
    "spark3-submit": _spark_submit,
    "spark2-submit": _spark_submit,
    "sh": _shell,
    "bash": _shell,
    "zsh": _shell,
    "ksh": _shell,
    "dash": _shell,
    "cp": _copy,
    "mv": _copy,
    "rsync": _copy,
    "scp": _copy,
    "aws": _cloud_copy,
    "gsutil": _cloud_copy,
    "gcloud": _cloud_copy,
    "azcopy": _cloud_copy,
    "s3cmd": _cloud_copy,
    "hdfs": _hadoop,
    "hadoop": _hadoop,
    "yarn": _hadoop,
    "java": _java,
    "sqoop": _sqoop,
}


def program_of(name: str) -> Program | None:
    """How the words after a program's name are read; `None` for a program that is not known."""
    if ALIASES.get(name, name) in CLIENTS:
        return lambda words, streams: client(name, words, streams)
    return _PROGRAMS.get(name) or (_python if _PYTHON.match(name) else None)
