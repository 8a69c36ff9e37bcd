"""From the two names in a pickle to what is known of the symbol behind them."""

from __future__ import annotations

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Iterator, Sequence

from toadstone.symbols.knowledge import Effect, Knowledge, parse_knowledge
from toadstone.symbols.tables import class_bases, effect_line, has_table, judged_modules, module_names

MAX_NAME = 1_000
MAX_PARTS = 32
MAX_STEPS = 200

REFLECTIVE = {
    **dict.fromkeys(("__globals__", "__builtins__", "__dict__", "__subclasses__", "__loader__", "__spec__"), Effect.IMPORT_NAME),
    **dict.fromkeys(("__getattribute__", "__getattr__", "__import__"), Effect.IMPORT_NAME),
    **dict.fromkeys(("__setattr__", "__delattr__"), Effect.PATCH),
    **dict.fromkeys(("__reduce__", "__reduce_ex__", "__init_subclass__", "__call__"), Effect.CALL),
    "__code__": Effect.RUN_CODE,
}
"""Attributes that every object, function or module has, and what holding them gives."""

TRANSPARENT = frozenset(
    {"__call__", "__func__", "__wrapped__", "__get__", "__self__", "__class__", "__new__", "__init__", "func"}
)
"""Attributes of a callable that lead to the same code as the callable."""

INSTANCE = "~"
"""Marks an alias of an instance of a class, in the tables: it has the members of the class but is not the class."""

Place = tuple[str, tuple[str, ...]]


def renamed(module: str, qualname: str) -> tuple[str, str]:
    """The Python 3 name of a Python 2 symbol, as ``fix_imports`` maps it."""
    if (module, qualname) in NAME_MAPPING:
        return NAME_MAPPING[(module, qualname)]
    return IMPORT_MAPPING.get(module, module), qualname


def places(module: str, qualname: str, *, inherited: bool = True) -> Iterator[Place]:
    """Every place a symbol may be defined at: as named, then through aliases, submodules and, if asked for, base classes.

    The search visits each place once and ``MAX_STEPS`` in all, so that cyclic aliases and hostile names end.
    """
    queue: list[Place] = [(module, tuple(qualname.split(".")))]
    seen = set(queue)
    while queue:
        place = queue.pop(0)
        yield place
        for following in (*steps(*place), *(bases(*place) if inherited else ())):
            if following not in seen and len(following[1]) <= MAX_PARTS and len(seen) < MAX_STEPS:
                seen.add(following)
                queue.append(following)


def steps(module: str, parts: tuple[str, ...]) -> Iterator[Place]:
    """The places one step behind a place."""
    names = module_names(module)
    if names is None:
        yield from outside(module, parts)
        return
    stars: Sequence[str] = names.get("*", ())
    head = parts[0]
    inner = f"{module}.{head}"
    if len(parts) > 1 and f"{inner}:" in stars and module_names(inner) is None:
        stars = ()  # a compiled submodule of which nothing is known but its name: the search would go in circles through it
    for target in names.get(head) or [star + head for star in stars]:
        there, _, rest = target.lstrip(INSTANCE).partition(":")
        following = tuple(rest.split(".")) if rest else ()
        if following + parts[1:] and (len(parts) > 1 or not target.startswith(INSTANCE)):
            yield there or module, following + parts[1:]
    if len(parts) > 1 and module_names(f"{module}.{parts[0]}") is not None:
        yield f"{module}.{parts[0]}", parts[1:]


def bases(module: str, parts: tuple[str, ...]) -> Iterator[Place]:
    """The same member in the base classes of the class that the place runs through."""
    for count in range(len(parts) - 1, 0, -1):
        for base in class_bases(module, ".".join(parts[:count])):
            there, _, rest = base.partition(":")
            if rest:
                yield there or module, (*rest.split("."), *parts[count:])


def outside(module: str, parts: tuple[str, ...]) -> Iterator[Place]:
    """A module name that no file has may be an alias in its package (``os.path``, ``six.moves.cPickle``)."""
    parent, _, last = module.rpartition(".")
    if parent:
        yield parent, (last, *parts)


def listed(module: str, parts: tuple[str, ...]) -> Knowledge | None:
    """The line of a place, or that of the callable whose attribute it is."""
    while True:
        row = effect_line(module, ".".join(parts))
        if row is not None:
            return parse_knowledge(*row)
        if len(parts) < 2 or parts[-1] not in TRANSPARENT:
            return None
        parts = parts[:-1]


def judged(module: str) -> Knowledge | None:
    """What is said of a whole module, or of the package around it."""
    known, name = judged_modules(), module
    while name:
        if name in known:
            return Knowledge(
                frozenset(Effect(effect) for effect in known[name].split(",")),
                (),
                f"the module {name} is judged as a whole",
                exact=False,
            )
        name = name.rpartition(".")[0]
    return None


def well_formed(module: str, qualname: str) -> bool:
    """Whether two names can be symbols at all; separators of the tables and oversized names cannot."""
    if len(module) > MAX_NAME or len(qualname) > MAX_NAME or not module or not qualname:
        return False
    return (
        not any(mark in text for mark in "\t\n\r " for text in (module, qualname))
        and module.count(".") + qualname.count(".") < MAX_PARTS
    )


def walked(module: str) -> bool:
    """See :func:`toadstone.symbols.module_known`."""
    return well_formed(module, "x") and module_names(renamed(module, "x")[0]) is not None


def find(module: str, qualname: str) -> Knowledge | None:
    """See :func:`toadstone.symbols.effects_of`."""
    if not well_formed(module, qualname):
        return None
    module, qualname = renamed(module, qualname)
    if not has_table(module):
        return judged(module) or reflected([(module, tuple(qualname.split(".")))])
    visited = list(places(module, qualname))
    known = next((found for place in visited if (found := listed(*place)) is not None), None)
    if known is not None:
        return known
    for there, _ in places(module, qualname, inherited=False):
        known = judged(there)
        if known is not None:
            return known
    return reflected(visited)


def reflected(visited: list[Place]) -> Knowledge | None:
    """What an attribute gives that every object has, when nothing nearer is known."""
    for _, parts in visited:
        for part in parts:
            if part in REFLECTIVE:
                return Knowledge(frozenset({REFLECTIVE[part]}), (), f"the attribute {part} of any object", exact=False)
    return None
