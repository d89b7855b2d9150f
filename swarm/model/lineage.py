"""What was observed about tasks and data, before and after it is fused into dependencies."""

from dataclasses import dataclass
from enum import StrEnum

from swarm.model.keys import DatasetKey, TaskKey


class Access(StrEnum):
    """What a task does to a dataset."""

    READ = "read"
    WRITE = "write"


class Channel(StrEnum):
    """The way an observation reached swarm; each has its own reliability."""

    DECLARED = "declared"  # assets, inlets and outlets the orchestrator itself lists
    MANIFEST = "manifest"  # reads and writes stated in a custom scheduler's manifest
    SQL_SOURCE = "sql_source"  # SQL text before it ran, templates still in it
    SQL_RUN = "sql_run"  # SQL as it ran
    QUERY_LOG = "query_log"  # the warehouse's own history of statements
    ACCESS_LOG = "access_log"  # who read and wrote which object, by the store's own log
    CODE = "code"  # program source, read but not run
    OPENLINEAGE = "openlineage"  # run events sent by the task itself


class UnresolvedReason(StrEnum):
    """Why something could not be understood."""

    SYNTAX = "syntax"  # the text does not parse
    TOO_LARGE = "too_large"  # the text is over the size limit
    DYNAMIC = "dynamic"  # the name is made at run time
    TEMPLATE = "template"  # a template variable has no known value
    MISSING_SOURCE = "missing_source"  # the program's source is not at hand
    IMPORT_ERROR = "import_error"  # the orchestrator itself cannot load the pipeline
    AMBIGUOUS = "ambiguous"  # a short name fits several datasets
    MALFORMED = "malformed"  # an input record is broken
    UNREACHABLE = "unreachable"  # an orchestrator could not be read


@dataclass(frozen=True, slots=True)
class Touch:
    """One access to one dataset found in a text.

    `place` is where (file:line, or field of a run), `excerpt` the few words that show it,
    `confidence` the extractor's own certainty from 0 to 1.
    """

    access: Access
    dataset: DatasetKey
    place: str
    excerpt: str = ""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class View:
    """Reading `dataset` means reading `reads`."""

    dataset: DatasetKey
    reads: tuple[DatasetKey, ...]
    place: str
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Something that swarm saw and could not understand; `subject` is a key's text or a file."""

    subject: str
    reason: UnresolvedReason
    place: str
    detail: str


@dataclass(frozen=True, slots=True)
class Extraction:
    """Everything one text says. It is complete when nothing in it is unresolved."""

    touches: tuple[Touch, ...] = ()
    views: tuple[View, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation "`task` reads or writes `dataset`"."""

    task: TaskKey
    access: Access
    dataset: DatasetKey
    channel: Channel
    observed_at_s: float
    place: str
    excerpt: str = ""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Coverage:
    """`channel` saw the whole of `task`, so what it did not report speaks against it."""

    task: TaskKey
    channel: Channel
    observed_at_s: float


@dataclass(frozen=True, slots=True)
class Proof:
    """One line of a dependency's ledger: what a channel says of one end of it.

    `weight` is the log-odds the line adds (negative: it speaks against). `via` are the views
    between the dataset the task names and the one the dependency is about. `named` is the
    shorter name the task used, where it was matched to the dataset's full name.
    """

    task: TaskKey
    access: Access
    channel: Channel
    place: str
    excerpt: str
    last_seen_s: float
    weight: float
    via: tuple[DatasetKey, ...] = ()
    named: str = ""


class Verdict(StrEnum):
    """What a person said of a dependency."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, order=True)
class DependencyKey:
    """Writer, reader and the dataset between them."""

    upstream: TaskKey
    downstream: TaskKey
    dataset: DatasetKey


@dataclass(frozen=True, slots=True)
class Dependency:
    """`key.downstream` reads what `key.upstream` writes.

    `declared`: the orchestrators already run them in that order. `confidence` is a probability;
    a verdict of a person overrides it (1 or 0).
    """

    key: DependencyKey
    declared: bool
    confidence: float
    proofs: tuple[Proof, ...]
    verdict: Verdict | None = None
