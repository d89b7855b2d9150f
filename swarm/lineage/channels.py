"""How far each channel can be trusted, before an installation has shown anything.

The figures are where every installation starts. What it shows of its own channels replaces them:
`agreement` learns from how they agree with each other, `calibration` from people's verdicts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import log

from swarm.model.lineage import Channel

# Of accesses that some channel speaks of at all, the share that is real before the channel is
# known. Low, so that a single vague hint does not make an edge.
PRIOR = 0.1

# A channel that shows other accesses of that kind there, but not everything, sees a given one three
# times in four that one sees which covers the task: one piece of the text in four was not
# understood. A list is as incomplete as its `sees` has it.
PARTLY = 0.75
# A log that knows the task on that very server: one time in four the task has a second session
# there, which nobody tagged.
LOG_PARTLY = 0.75


@dataclass(frozen=True, slots=True)
class Reliability:
    """`sees`: P(the channel reports an access | it happens), of a channel that covers the task;
    `partly`: the same of one that knows other accesses of that kind there. `errs`: P(reports | it
    does not happen)."""

    sees: float
    errs: float
    partly: float

    @property
    def for_it(self) -> float:
        """Log-odds that a report adds."""
        return log(self.sees / self.errs)

    @property
    def against_it(self) -> float:
        """Log-odds that the silence of a channel adds that covers the task; negative."""
        return self.silent(self.sees)

    def silent(self, sees: float) -> float:
        """The same of a channel that would have shown the access with the probability `sees`."""
        return log((1 - sees) / (1 - self.errs))


RELIABILITY: Mapping[Channel, Reliability] = {
    # People list half of what they touch. What they list was nearly always true once, but they
    # forget to take out what ends.
    Channel.DECLARED: Reliability(0.5, 0.005, 0.5),
    # A manifest is written for swarm: fuller than declared assets, and as true.
    Channel.MANIFEST: Reliability(0.7, 0.005, 0.7),
    # Text before it ran: misses what templates hide, shows branches that never run: as many as
    # program text has dead code.
    Channel.SQL_SOURCE: Reliability(0.85, 0.007, 0.85 * PARTLY),
    # Text as it ran: misses only what the parser or a procedure hides.
    Channel.SQL_RUN: Reliability(0.95, 0.001, 0.95 * PARTLY),
    # The same text out of the warehouse's history: misses also what runs without its tag, and has
    # what people run by hand under it.
    Channel.QUERY_LOG: Reliability(0.9, 0.002, LOG_PARTLY),
    # The store's own list of requests: delivered late and not always in full, nearly never wrong.
    Channel.ACCESS_LOG: Reliability(0.85, 0.001, LOG_PARTLY),
    # Program text: names made at run time are missed, dead code is reported.
    Channel.CODE: Reliability(0.7, 0.007, 0.7 * PARTLY),
    # The task's own report while it ran: nearly never wrong, misses what its hooks cannot see.
    Channel.OPENLINEAGE: Reliability(0.95, 0.0005, 0.95 * PARTLY),
}

# Lists made by people are incomplete, and the log of one server knows nothing of what a task does
# on others: that they looked at a task is no coverage of it.
NEVER_COVERING = frozenset(
    {Channel.DECLARED, Channel.MANIFEST, Channel.QUERY_LOG, Channel.ACCESS_LOG}
)

# These read the same SQL, so they share their mistakes.
SAME_TEXT = frozenset({Channel.SQL_SOURCE, Channel.SQL_RUN, Channel.QUERY_LOG, Channel.OPENLINEAGE})

# The same people keep both lists, and forget to change both.
LISTS = frozenset({Channel.DECLARED, Channel.MANIFEST})


@dataclass(frozen=True, slots=True)
class Learned:
    """What an installation has shown of its channels: how reliable they are as they judge each
    other, and by how much verdicts then move the log-odds of their reports."""

    reliability: Mapping[Channel, Reliability] = field(default_factory=lambda: RELIABILITY)
    offsets: Mapping[Channel, float] = field(default_factory=dict)

    def for_it(self, channel: Channel) -> float:
        """Log-odds that a sure, fresh report adds; no verdict makes it speak against."""
        known = self.reliability[channel].for_it + self.offsets.get(channel, 0.0)
        return round(max(known, 0.0), 3)


AS_KNOWN = Learned()


def shared_mistakes(channel: Channel) -> Iterator[str]:
    """The mistakes that a channel shares with others, by name."""
    if channel in SAME_TEXT:
        yield "same text"
    if channel in LISTS:
        yield "same hands"
