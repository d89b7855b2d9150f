"""What a task of a manifest runs: by its command line, its scheduler's own files, or its texts.

The command line counts first. Without one, what the files of a scheduler start (Oozie, Azkaban),
then shell scripts that no other file names, then Python: the operator of that name where it makes
a DAG of Airflow. SQL that none of these uses runs as it
stands.
"""

import ast
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from swarm.connectors.programs import Code, Command, Script
from swarm.lineage.code.azkaban import azkaban_jobs
from swarm.lineage.code.jobs import Job
from swarm.lineage.code.oozie import oozie_jobs
from swarm.lineage.code.shell_programs import program_of
from swarm.lineage.configs.formats import Tree
from swarm.lineage.configs.parameters import environment_parameters, task_parameters, whole_text
from swarm.lineage.text import CodeContext, SqlContext
from swarm.model.keys import TaskKey

_LANGUAGES = {
    **dict.fromkeys((".sql", ".hql", ".ddl", ".dml", ".bteq"), "sql"),
    ".py": "python",
    **dict.fromkeys((".sh", ".bash", ".ksh"), "shell"),
}
_TEMPLATES = (".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".template")


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """The texts of a task by path, and what its line says of how they run.

    `words` are those of its command line, `kind` the language of files whose name says none.
    """

    pipeline: str
    task: str
    files: Mapping[str, str]
    kind: str
    words: tuple[str, ...]
    parameters: Mapping[str, Tree]
    place: str

    def of_language(self, language: str) -> list[str]:
        """The paths of the files in a language."""
        return [path for path in self.files if self._language(path) == language]

    def _language(self, path: str) -> str:
        name = path.lower()
        for end in _TEMPLATES:
            name = name.removesuffix(end)
        suffix = PurePosixPath(name).suffix
        return _LANGUAGES.get(suffix, "" if suffix else self.kind)


def sql_context_of(task: TaskFiles, base: SqlContext) -> SqlContext:
    """The context of the task's SQL: with the values of its line and of its files."""
    return replace(base, parameters=task_parameters(task.files, task.parameters))


def scripts_of(task: TaskFiles, context: SqlContext) -> tuple[Script, ...]:
    """The SQL files of a task, as they run when nothing else starts them.

    A scheduler's own files tell all that runs: what they do not start is of another task.
    """
    if any(job.words or job.command for job in jobs_of(task)):
        return ()
    return tuple(
        Script(path, task.files[path], _for_file(path, context)) for path in task.of_language("sql")
    )


def _for_file(path: str, context: SqlContext) -> SqlContext:
    is_hive = path.lower().endswith(".hql") and not context.dialect
    return replace(context, dialect="hive") if is_hive else context


def code_of(task: TaskFiles, context: CodeContext) -> tuple[Code | Command, ...]:
    """The programs and commands of a task."""
    known = environment_parameters(task.files, task.parameters)
    context = replace(context, parameters=known)
    modules = task.of_language("python")
    command = _command_line(task)
    if command:
        return (_command(task, Job("", task.place, words=command), context),)
    if modules and (task.kind == "python" or _named(modules, task.words)):
        return (_module(task, modules, context),)
    jobs = [job for job in jobs_of(task) if job.words or job.command or job.missing]
    if jobs:
        return tuple(_command(task, job, context) for job in jobs)
    scripts = list(_started(task, task.of_language("shell")))
    if scripts:
        starts = (("sh", path, *_behind(path, task.words)) for path in scripts)
        return tuple(_command(task, Job("", words[1], words=words), context) for words in starts)
    if modules:
        return (_module(task, modules, context),)
    if task.words and task.kind != "sql":  # a program that is not at hand; its options may tell
        return (_command(task, Job("", task.place, words=task.words), context),)
    return ()


def jobs_of(task: TaskFiles) -> tuple[Job, ...]:
    """What the files of a scheduler start for the task, with the data they declare."""
    given = task_parameters({}, task.parameters)
    known = task_parameters(task.files, task.parameters)
    oozie = oozie_jobs(task.files, task.task, known, task.pipeline)
    return oozie or azkaban_jobs(task.files, task.task, given)


def _command(task: TaskFiles, job: Job, context: CodeContext) -> Command:
    return Command(job, task.files, context)


def _module(task: TaskFiles, modules: list[str], context: CodeContext) -> Code:
    at, entry = next(iter(_named(modules, task.words)), (-1, modules[0]))
    arguments = task.words[at + 1 :]
    context = replace(context, arguments=arguments or None)
    key = TaskKey("", task.pipeline, task.task)
    return Code(entry, task.files, context, None if arguments else key)


def _named(modules: list[str], words: tuple[str, ...]) -> list[tuple[int, str]]:
    """The modules that the command line names, with the place of the word that does."""
    found: list[tuple[int, str]] = []
    for at, word in enumerate(words):
        named = [path for path in modules if path in word or path.endswith(f"/{word}")]
        if named:
            found.append((at, max(named, key=len)))
    return found


def _command_line(task: TaskFiles) -> tuple[str, ...]:
    """The words, when they begin with a program that is known or a script that is given."""
    first = task.words[0] if task.words else ""
    name = PurePosixPath(first).name
    is_script = any(
        path == first or path.endswith(f"/{name}") for path in task.of_language("shell")
    )
    if not first or not (is_script or program_of(name) is not None or " " in first):
        return ()
    return ("sh", "-c", first) if " " in first else task.words


def _behind(path: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """The words for a script: those behind its name where a launcher is told it, else all."""
    name = PurePosixPath(path).name
    at = next((at for at, word in enumerate(words) if PurePosixPath(word).name == name), -1)
    return words[at + 1 :]


def _started(task: TaskFiles, scripts: list[str]) -> Iterator[str]:
    """The scripts that no other file of the task names: those run by themselves."""
    for path in scripts:
        name = PurePosixPath(path).name
        others = (text for other, text in task.files.items() if other != path)
        if not any(name in text for text in others):
            yield path


def words_of(arguments: str | tuple[Tree, ...]) -> tuple[str, ...]:
    """The words of a command line; a text is taken apart as a shell does."""
    if not isinstance(arguments, str):
        return tuple(map(whole_text, arguments))
    if arguments.startswith("["):
        return _listed(arguments)
    if any(sign in arguments for sign in ";|&<>$`\n"):
        return (arguments,)  # more than one simple command
    try:
        return tuple(shlex.split(arguments))
    except ValueError:  # an open quote
        return tuple(arguments.split())


def _listed(arguments: str) -> tuple[str, ...]:
    """The words of a list, or of a sum of lists, in the notation of Python or JSON."""
    try:
        tree = ast.parse(arguments, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return tuple(arguments.split())
    words = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    words.sort(key=lambda node: (node.lineno, node.col_offset))
    return tuple(str(node.value) for node in words)
