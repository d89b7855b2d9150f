"""The newest events of the log, in memory once for all who listen."""

from bisect import bisect_right
from dataclasses import dataclass, field

from swarm.api.news import block, is_news
from swarm.model.journal import Entry

_KEPT = 2_000


@dataclass(slots=True)
class Recent:
    """All news after number `begins`, up to `ends`. The text of an event is made when somebody
    asks for it first: where nobody listens, none is."""

    begins: int = 0
    ends: int = 0
    _seqs: list[int] = field(default_factory=list)
    _news: list[Entry | bytes] = field(default_factory=list)

    def restart(self, seq: int) -> None:
        """Forget all: the next entry is the one after `seq`."""
        self.begins = self.ends = seq
        self._seqs.clear()
        self._news.clear()

    def add(self, seq: int, entry: Entry) -> None:
        """Take in the next entry."""
        self.ends = seq
        if not is_news(entry.record):
            return
        self._seqs.append(seq)
        self._news.append(entry)
        if len(self._seqs) >= 2 * _KEPT:
            self.begins = self._seqs[_KEPT - 1]
            del self._seqs[:_KEPT], self._news[:_KEPT]

    def after(self, seq: int, limit: int) -> tuple[int, bytes]:
        """Up to `limit` blocks after `seq`, which is not before `begins`, and up to where."""
        first = bisect_right(self._seqs, seq)
        last = min(first + limit, len(self._seqs))
        upto = self._seqs[last - 1] if last < len(self._seqs) else self.ends
        return max(upto, seq), b"".join(self._block(at) for at in range(first, last))

    def _block(self, at: int) -> bytes:
        kept = self._news[at]
        if isinstance(kept, Entry):
            kept = self._news[at] = block(self._seqs[at], kept)
        return kept
