"""Which column is what."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Roles:
    """Names of the columns that have a role; None: there is none.

    Attributes:
        label: What a model learns to predict.
        text: What it reads.
        image: Images: encoded bytes, arrays or paths.
        embedding: Vectors of fixed length.
        source: Who contributed the row.
        time: When.
        prompt: Of instruction data: what is asked.
        response: Of instruction data: what is answered.
        features: Columns of numbers and categories, when there is neither text nor image.
        guessed: Roles that nobody named.
    """

    label: str | None = None
    text: str | None = None
    image: str | None = None
    embedding: str | None = None
    source: str | None = None
    time: str | None = None
    prompt: str | None = None
    response: str | None = None
    features: tuple[str, ...] = ()
    guessed: frozenset[str] = frozenset()

    @property
    def columns(self) -> list[str]:
        """Names of all columns with a role, each once."""
        named = [getattr(self, field.name) for field in fields(self) if field.name not in ("features", "guessed")]
        return list(dict.fromkeys([name for name in named if name is not None] + list(self.features)))
