"""Where something is: a file, a member inside it, an offset, a row."""

from __future__ import annotations

from toadstone.core.record import dataclass


@dataclass(frozen=True, order=True)
class Place:
    """A position that a person can go to.

    Attributes:
        path: The TARGET as typed, joined with the relative path below it.
        member: Path inside containers, ``!``-separated (``archive/data.pkl``); empty for the file itself.
        offset: Byte offset inside the innermost member; -1 when it makes no sense.
        row: 0-based row, or line of a text file; -1 when it makes no sense.
        column: Column name of a data set; empty when it makes no sense.
    """

    path: str
    member: str = ""
    offset: int = -1
    row: int = -1
    column: str = ""

    def at(self, offset: int) -> Place:
        """Give the same file and member at another byte offset."""
        return Place(self.path, self.member, offset)

    def line(self, row: int) -> Place:
        """Give the same file and member at a 0-based line."""
        return Place(self.path, self.member, -1, row)

    def inside(self, name: str) -> Place:
        """Give the place of a member called ``name`` inside this one."""
        return Place(self.path, f"{self.member}!{name}" if self.member else name)

    def as_dict(self) -> dict[str, str | int]:
        """Give the JSON form; keys without a meaning are left out."""
        form: dict[str, str | int] = {"path": self.path}
        if self.member:
            form["member"] = self.member
        if self.offset >= 0:
            form["offset"] = self.offset
        if self.row >= 0:
            form["row"] = self.row
        if self.column:
            form["column"] = self.column
        return form

    def __str__(self) -> str:
        text = f"{self.path}!{self.member}" if self.member else self.path
        if self.row >= 0:
            return f"{text}:{self.row + 1}"
        return f"{text} @{self.offset}" if self.offset >= 0 else text
