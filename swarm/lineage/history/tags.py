"""Which task a statement was run for, by what it carries itself.

In this order: labels and query tags, comments in the text, names of the session. Understood are
1. fields: `dag_id` and `task_id` (also `airflow-dag`, `airflow_dag_id`, ...), `orchestrator`,
   `pipeline` and `task`, and dbt's `app`, `node_id`; as labels, as JSON, as `key='value'` pairs;
2. paths: `airflow/dag/task`, the first part being a kind of orchestrator or the name of a source;
3. `airflow: dag.task`, and `airflow@dag@task` where neither slash nor colon is allowed.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from swarm.model.keys import TaskKey

_MAX_TAG = 10_000  # characters; a longer text is no tag

_KINDS = frozenset({"airflow", "dagster", "prefect", "dbt", "crontab", "manifest"})
_SESSION_NAMES = ("application_name", "role_session_name", "user_agent")
_TAG_NAMES = ("query_tag", "query_group")

_DAG = ("dag_id", "airflow_dag", "airflow_dag_id", "airflow_ctx_dag_id")
_TASK = ("task_id", "airflow_task", "airflow_task_id", "airflow_ctx_task_id")

# A comment, or what may hold something that only looks like one.
_COMMENT = re.compile(
    r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|/\*(.*?)\*/|--([^\n]*)""", re.DOTALL
)
_PAIR = re.compile(r"""([\w.-]+)\s*[=:]\s*['"]?([^'",;\s]+)""")
_PATH = re.compile(r"([\w.-]+)/([^/\s]+)/([^/\s]+)$")
_COLON = re.compile(r"(\w[\w-]*)\s*:\s*([^\s.]+)\.(\S+)$")
_SESSION = re.compile(r"(\w[\w-]*)([=,@+.])([\w-]+)\2([\w.-]+)$")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a statement says of itself; `owner` is a kind of orchestrator or a source's name."""

    owner: str
    pipeline: str
    task: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The claim fits several sources."""

    claim: Claim
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """The sources by kind, and tasks by any source, which correct what a label cannot spell."""

    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tasks: frozenset[TaskKey] = frozenset()
    _folded: Mapping[tuple[str, str, str], TaskKey | None] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        folded: dict[tuple[str, str, str], TaskKey | None] = {}
        for task in self.tasks:
            key = _fold(task)
            folded[key] = None if key in folded else task
        object.__setattr__(self, "_folded", folded)

    def is_owner(self, name: str) -> bool:
        """Whether `name` is a kind of orchestrator, or the name of a source."""
        return name in _KINDS or any(name in names for names in self.sources.values())

    def spelled(self, task: TaskKey) -> TaskKey:
        """The known task that is meant: BigQuery's labels are lower case and have no dots."""
        return task if task in self.tasks else self._folded.get(_fold(task)) or task


def task_of(tags: Mapping[str, str], text: str, known: Known) -> TaskKey | Ambiguous | None:
    """The task that the first understood tag names; `None` where there is none."""
    for claim in _claims(tags, text, known):
        return _resolved(claim, known)
    return None


def _resolved(claim: Claim, known: Known) -> TaskKey | Ambiguous:
    candidates = known.sources.get(claim.owner, (claim.owner,))
    tasks = [known.spelled(TaskKey(name, claim.pipeline, claim.task)) for name in candidates]
    if len(tasks) > 1:
        exist = [task for task in tasks if task in known.tasks]
        if len(exist) != 1:
            return Ambiguous(claim, candidates)
        tasks = exist
    return tasks[0]


def _fold(task: TaskKey) -> tuple[str, str, str]:
    pipeline, name = (part.casefold().replace(".", "-") for part in (task.pipeline, task.task))
    return task.orchestrator, pipeline, name


def _claims(tags: Mapping[str, str], text: str, known: Known) -> Iterator[Claim]:
    yield from _of_fields(tags)
    for name in _TAG_NAMES:
        yield from _of_text(tags.get(name, ""), known)
    if "/*" in text or "--" in text:
        for comment in _COMMENT.finditer(text):
            yield from _of_text(comment.group(1) or comment.group(2) or "", known)
    for name in _SESSION_NAMES:
        value = tags.get(name, "")
        yield from _of_text(value, known)
        if name == "user_agent":
            for word in value.split():
                yield from _of_words(word.removeprefix("app/"), known)


def _of_text(text: str, known: Known) -> Iterator[Claim]:
    text = text.strip()
    if not text or len(text) > _MAX_TAG:
        return
    if text.startswith("{"):
        try:
            tree = json.loads(text)
        except (ValueError, RecursionError):
            return
        yield from _of_fields({k: v for k, v in tree.items() if isinstance(v, str)})
        return
    yield from _of_words(text, known)
    yield from _of_fields({key: unquote(value) for key, value in _PAIR.findall(text)})


def _of_words(text: str, known: Known) -> Iterator[Claim]:
    if match := _PATH.match(text) or _COLON.match(text):
        owner, pipeline, task = match.groups()
    elif match := _SESSION.match(text):
        owner, _, pipeline, task = match.groups()
    else:
        return
    if known.is_owner(owner):
        yield Claim(owner, pipeline, task)


def _of_fields(tags: Mapping[str, str]) -> Iterator[Claim]:
    fields = {key.casefold().replace("-", "_"): value for key, value in tags.items()}
    owner = fields.get("orchestrator", "")
    dag, task = _first(fields, _DAG), _first(fields, _TASK)
    if dag and task:
        yield Claim(owner or "airflow", dag, task)
    elif owner and fields.get("pipeline") and fields.get("task"):
        yield Claim(owner, fields["pipeline"], fields["task"])
    elif fields.get("app") == "dbt" and fields.get("node_id", "").count(".") > 1:
        kind, project, name = fields["node_id"].split(".", 2)
        # The id of a generic test ends in a hash of its arguments.
        yield Claim("dbt", project, name.rpartition(".")[0] or name if kind == "test" else name)


def _first(fields: Mapping[str, str], names: Iterable[str]) -> str:
    return next((fields[name] for name in names if fields.get(name)), "")
