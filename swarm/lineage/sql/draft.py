"""A statement's tokens while they are made familiar to the parser: looking, cutting, replacing."""

from dataclasses import dataclass, field

from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.effects import Accessed, Effect, Name
from swarm.lineage.sql.tokens import STRINGS, word_of
from swarm.model.lineage import Access

_ENDS = frozenset({TokenType.COMMA, TokenType.R_PAREN})
_OPERATORS = frozenset({TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.SLASH})


@dataclass(slots=True)
class Draft:
    """`effects` are those of the clauses that were cut out."""

    tokens: list[Token]
    effects: list[Effect] = field(default_factory=list)

    def word(self, index: int) -> str:
        """The token in capitals, empty outside of the statement and for strings and names."""
        return word_of(self.tokens[index]) if 0 <= index < len(self.tokens) else ""

    def is_at(self, index: int, *words: str) -> bool:
        """Whether `words` start at `index`."""
        return all(self.word(index + offset) == word for offset, word in enumerate(words))

    def places(self, *words: str) -> list[int]:
        """Where `words` stand, the last place first: so cutting there leaves the rest true."""
        return [i for i in range(len(self.tokens) - 1, -1, -1) if self.is_at(i, *words)]

    def string(self, index: int) -> Token | None:
        """The string at `index`, None if there is something else."""
        token = self.tokens[index] if 0 <= index < len(self.tokens) else None
        return token if token is not None and token.token_type in STRINGS else None

    def behind_group(self, index: int) -> int:
        """The index behind the parentheses that open at `index`; `index` if none do."""
        depth = 0
        for at in range(index, len(self.tokens)):
            kind = self.tokens[at].token_type
            if kind == TokenType.L_PAREN:
                depth += 1
            elif kind == TokenType.R_PAREN:
                depth -= 1
            if depth == 0:
                return at + 1 if at > index else index
        return len(self.tokens)

    def next_of(self, words: frozenset[str], index: int) -> int:
        """The first of `words` from `index` on that is not in parentheses opened since; or the
        parenthesis that closes around `index`, or the end."""
        depth = 0
        for at in range(index, len(self.tokens)):
            kind = self.tokens[at].token_type
            if kind == TokenType.L_PAREN:
                depth += 1
            elif kind == TokenType.R_PAREN:
                depth -= 1
                if depth < 0:
                    return at
            elif depth == 0 and self.word(at) in words:
                return at
        return len(self.tokens)

    def behind_name(self, index: int) -> int:
        """The index behind the dotted name that starts at `index`."""
        while index + 1 < len(self.tokens) and self.tokens[index + 1].token_type == TokenType.DOT:
            index += 2
        return min(index + 1, len(self.tokens))

    def behind_value(self, index: int) -> int:
        """The index behind a value without AND: `3`, `f(x) - INTERVAL '1' DAY`, `'2024-01-01'`."""
        while index < len(self.tokens) and self.tokens[index].token_type not in _ENDS:
            if self.word(index) in ("INTERVAL", "DATE", "TIMESTAMP"):
                index += 2 + (self.word(index) == "INTERVAL")
            elif self.tokens[index].token_type == TokenType.L_PAREN:
                index = self.behind_group(index)
            else:
                index = self.behind_group(self.behind_name(index))
            if index >= len(self.tokens) or self.tokens[index].token_type not in _OPERATORS:
                break
            index += 1
        return min(index, len(self.tokens))

    def cut(self, start: int, end: int) -> None:
        del self.tokens[start:end]

    def put(self, index: int, kind: TokenType, text: str) -> None:
        """Put another token in the place of the one at `index`."""
        old = self.tokens[index]
        self.tokens[index] = Token(kind, text, old.line, old.col, old.start, old.end)

    def insert(self, index: int, kind: TokenType, text: str) -> None:
        near = self.tokens[min(index, len(self.tokens) - 1)]
        self.tokens.insert(index, Token(kind, text, near.line, near.col, near.start, near.end))

    def touches(self, access: Access, path: Token) -> None:
        """Note the file that a string names."""
        self.effects.append(Accessed(access, Name(line=int(path.line), url=path.text)))


def named(draft: Draft, index: int) -> tuple[Name | None, int]:
    """The table whose name starts at `index`, None for a variable; the index behind it."""
    if index >= len(draft.tokens):
        return None, index
    if draft.tokens[index].token_type == TokenType.PARAMETER:
        return None, index + 2
    hashes = 0
    while draft.word(index + hashes) == "#":
        hashes += 1
    end = draft.behind_name(index + hashes)
    parts = [t.text for t in draft.tokens[index + hashes : end] if t.token_type != TokenType.DOT]
    if not parts:
        return None, end
    parts[-1] = "#" * hashes + parts[-1]
    name = Name(tuple(parts), int(draft.tokens[index].line), local=parts[-1].startswith("#"))
    return name, end
