"""The newest events of the log, in memory once for all who listen."""

from bisect import bisect_right
from dataclasses import dataclass, field

_KEPT = 2_000


@dataclass(slots=True)
class Recent:
    """Blocks of all news after number `begins`, up to `ends`."""

    begins: int = 0
    ends: int = 0
    _seqs: list[int] = field(default_factory=list)
    _blocks: list[bytes] = field(default_factory=list)

    def restart(self, seq: int) -> None:
        """Forget all: the next entry is the one after `seq`."""
        self.begins = self.ends = seq
        self._seqs.clear()
        self._blocks.clear()

    def add(self, seq: int, block: bytes) -> None:
        """Take in the next entry; an empty block is no news."""
        self.ends = seq
        if not block:
            return
        self._seqs.append(seq)
        self._blocks.append(block)
        if len(self._seqs) >= 2 * _KEPT:
            self.begins = self._seqs[_KEPT - 1]
            del self._seqs[:_KEPT], self._blocks[:_KEPT]

    def after(self, seq: int, limit: int) -> tuple[int, bytes]:
        """Up to `limit` blocks after `seq`, which is not before `begins`, and up to where."""
        first = bisect_right(self._seqs, seq)
        last = min(first + limit, len(self._seqs))
        upto = self._seqs[last - 1] if last < len(self._seqs) else self.ends
        return max(upto, seq), b"".join(self._blocks[first:last])
