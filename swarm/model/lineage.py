"""What was observed about tasks and data, before and after it is fused into dependencies."""

from dataclasses import dataclass, field
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
    TIMING = "timing"  # runs that are late together: confirms, never shows by itself


# They tell what is written somewhere, and a newer reading replaces the older; all others tell what
# was seen in runs.
STATIC = frozenset({Channel.DECLARED, Channel.MANIFEST, Channel.SQL_SOURCE, Channel.CODE})


class UnresolvedReason(StrEnum):
    """Why something could not be understood."""

    SYNTAX = "syntax"  # the text does not parse
    TOO_LARGE = "too_large"  # the text is over the size limit
    TOO_SLOW = "too_slow"  # reading the text took too long or too much memory
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
class ViewInventory:
    """All views that the source of a batch states now: of those it stated, what is missing here
    is gone."""

    names: tuple[DatasetKey, ...]


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Something that swarm saw and could not understand; `subject` is a key's text or a file."""

    subject: str
    reason: UnresolvedReason
    place: str
    detail: str


class Tier(StrEnum):
    """How a SQL text was read; each tier answers only what the last one would answer too."""

    EXACT = "exact"  # the same text was read before
    TEMPLATE = "template"  # a text was read before that differs in free literals
    TOKENS = "tokens"  # by its words
    TREE = "tree"  # by its syntax tree


@dataclass(frozen=True, slots=True)
class Extraction:
    """Everything one text says. It is complete when nothing in it is unresolved.

    How it was read does not count when two are compared: `dialect` the text was read in, `tier`,
    `confidence` the share of its statements that were understood, `abstained` why no faster tier
    could tell (empty: one did).
    """

    touches: tuple[Touch, ...] = ()
    views: tuple[View, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    dialect: str = field(default="", compare=False)
    tier: Tier = field(default=Tier.TREE, compare=False)
    confidence: float = field(default=1.0, compare=False)
    abstained: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Evidence:
    """An observation "`task` reads or writes `dataset`", made once or again and again.

    Times are those of the newest sighting; `first_seen_s` is the earliest, `None` where it is the
    same. Bit `k` of `days` says that it was seen `k` days (UTC) before the newest one, too.
    """

    task: TaskKey
    access: Access
    dataset: DatasetKey
    channel: Channel
    observed_at_s: float
    place: str
    excerpt: str = ""
    confidence: float = 1.0
    first_seen_s: float | None = None
    days: int = 1


@dataclass(frozen=True, slots=True)
class Coverage:
    """`channel` saw the whole of `task`, so what it did not report speaks against it.

    `days` are the days on which it did, as those of `Evidence`.
    """

    task: TaskKey
    channel: Channel
    observed_at_s: float
    days: int = 1


@dataclass(frozen=True, slots=True)
class Proof:
    """One line of a dependency's ledger: what a channel says of one end of it.

    `weight` is the log-odds the line adds (negative: it speaks against). `via` are the views
    between the dataset the task names and the one the dependency is about. `named` is the
    shorter name the task used, where it was matched to the dataset's full name. `still` is how
    likely what was seen in runs still happens; the weight has it in it.

    How the weight came about: `sure` is what a report adds that is certain and fresh (0: not
    known, the record is of an older version), `confidence` the extractor's own certainty.
    `silent`: the channel knows the task and shows no such access.
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
    still: float = 1.0
    sure: float = 0.0
    confidence: float = 1.0
    silent: bool = False


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
class VerdictRequest:
    """A person accepts or rejects a dependency; `None` takes the verdict back."""

    key: DependencyKey
    verdict: Verdict | None
    by: str


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How often the reader was seen to read: on `seen` of the `looks` days on which a run-time
    channel looked at it since the first time, of the last 60 days."""

    seen: int
    looks: int
    first_seen_s: float
    last_seen_s: float

    @property
    def recurring(self) -> bool:
        """Seen on more than one day; else it may have been a one-off."""
        return self.seen > 1


class Level(StrEnum):
    """What a dependency is sure enough for."""

    GATE = "gate"  # to hold a run
    WARN = "warn"  # to tell somebody
    SHOW = "show"  # to be looked at
    HIDDEN = "hidden"


# One false hold costs a team's trust, a false line in a list a glance: one wrong in a hundred, in
# five, in two is what each may cost.
GATE_FROM, WARN_FROM, SHOW_FROM = 0.99, 0.8, 0.5


def level_of(confidence: float) -> Level:
    """What a probability is enough for."""
    if confidence >= GATE_FROM:
        return Level.GATE
    if confidence >= WARN_FROM:
        return Level.WARN
    return Level.SHOW if confidence >= SHOW_FROM else Level.HIDDEN


@dataclass(frozen=True, slots=True)
class Dependency:
    """`key.downstream` reads what `key.upstream` writes.

    `declared`: the orchestrators already run them in that order. `confidence` is a probability;
    a verdict of a person overrides it (1 or 0). `recurrence` is unknown (`None`) where only text
    was read and no run was seen.
    """

    key: DependencyKey
    declared: bool
    confidence: float
    proofs: tuple[Proof, ...]
    verdict: Verdict | None = None
    recurrence: Recurrence | None = None

    @property
    def level(self) -> Level:
        """What it may be used for; a person's verdict is in the confidence."""
        return level_of(self.confidence)
