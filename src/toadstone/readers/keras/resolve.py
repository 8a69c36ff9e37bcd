"""How Keras finds the class or function that a configuration names.

Keras 3: a registered name wins; then, for modules below ``keras``, the public exports; for functions of ``builtins`` the
tables of activations, losses and so on; then (up to 3.8 for any module, since 3.9 for Keras packages only) the module is
imported and the name taken from it. Keras 1 and 2 (``.h5``): the tables of Keras and of registered objects only.
"""

from __future__ import annotations

import enum
import re
from typing import Any

from toadstone.core.record import dataclass
from toadstone.core.value import Symbol
from toadstone.readers.keras.names import CLASSES, FUNCTIONS

_PACKAGES = frozenset({"keras", "tf_keras", "keras_core", "keras_hub", "keras_nlp", "keras_cv"})
_QUALIFIED = ("keras.", "tf_keras.", "tf.keras.", "tensorflow.keras.")
_SYSTEM = frozenset(
    "os posix nt subprocess shutil sys importlib _frozen_importlib _frozen_importlib_external runpy ctypes _ctypes socket "
    "_socket pty code codeop marshal pickle _pickle multiprocessing webbrowser urllib http ftplib telnetlib pdb pip "
    "zipimport".split()
)
"""Packages of Python that reach the system; no part of a model comes from them."""
_WRAPPING = frozenset({"src", "api", "_tf_keras", "_v1", "_v2", "v1", "v2", "python", "keras", "tensorflow", "legacy"})
_MODELLING = frozenset({
    "activations", "losses", "metrics", "ops", "initializers", "regularizers", "constraints", "layers", "random", "quantizers",
    "optimizers", "dtype_policies", "mixed_precision",
})  # fmt: skip
"""Parts of Keras whose functions compute, and do nothing else."""

_RESOLVING = frozenset({"deserialize", "get", "serialize"})

_BUILTIN_FUNCTIONS = frozenset(
    "eval exec compile __import__ open getattr setattr delattr globals locals vars input breakpoint print exit quit "
    "memoryview type map filter".split(),
)
"""Functions of Python that a configuration has no reason to name; other names there are the user's own functions."""

_OPERATORS = frozenset(
    "io saved_model raw_ops py_function numpy_function load_library load_op_library data train summary distribute debugging "
    "compat lookup queue autograph __internal__ config profiler tpu experimental gfile".split(),
)
"""Parts of TensorFlow that reach files, devices or Python. What layers are made of lives elsewhere."""

_SIDE_PACKAGES = frozenset({"keras_hub", "keras_nlp", "keras_cv"})
_ACTING = re.compile(
    r"load|save|download|fetch|get_file|open|exec|eval|import|preset|session|^set_|remove|delete|copy|write|read", re.IGNORECASE
)
"""What a function of a side package must not be called to count as one that computes."""

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*\Z")


class Origin(enum.Enum):
    """Where a named object comes from."""

    KERAS = "keras"
    """One of Keras' own building blocks."""
    UNSAFE = "unsafe"
    """A function of Keras that is no building block: it loads, fetches, writes or switches protection off."""
    REGISTERED = "registered"
    """Code that the user must bring: it is looked up among registered objects."""
    FOREIGN = "foreign"
    """An attribute of a module outside Keras, imported by name."""


def leads_outside(operator: str) -> bool:
    """Whether a TensorFlow operator named by a layer reaches beyond computation."""
    parts = operator.split(".")
    return parts[0] in _OPERATORS or "raw_ops" in parts


def _stripped(module: str) -> list[str] | None:
    """Give the parts of a module below Keras; None for modules outside."""
    parts = module.split(".")
    if parts[0] == "tensorflow":
        if "keras" not in parts[:4]:
            return None
    elif parts[0] not in _PACKAGES:
        return None
    rest = parts[1:]
    while rest and rest[0] in _WRAPPING:
        rest = rest[1:]
    return rest


def origin(module: str, name: str, *, function: bool) -> Origin:
    """Decide where ``module.name`` comes from when the module is given."""
    if module == "builtins":
        return _builtin(name, function=function)
    rest = _stripped(module)
    if rest is None:
        return Origin.FOREIGN
    if function or (name[:1].islower() and name not in FUNCTIONS):
        return Origin.KERAS if _computes(module, rest, name) else Origin.UNSAFE
    return Origin.KERAS


def _computes(module: str, rest: list[str], name: str) -> bool:
    """Whether a function of Keras is a building block: it computes, and neither acts nor resolves further names."""
    part = rest[0] if rest else ""
    if name in _RESOLVING or "." in name:
        return False
    if part == "applications":  # the models themselves take a path for their weights
        return name == "preprocess_input"
    if part in _MODELLING:
        return True
    side = module.split(".", 1)[0] in _SIDE_PACKAGES
    return (side or rest == ["backend"]) and not _ACTING.search(name)


def _builtin(name: str, *, function: bool) -> Origin:
    if name in _BUILTIN_FUNCTIONS or (not function and name not in CLASSES):
        return Origin.FOREIGN
    return Origin.KERAS if name in FUNCTIONS or name in CLASSES else Origin.REGISTERED


@dataclass(frozen=True)
class Reference:
    """What one serialised object names.

    Attributes:
        module: Its ``module`` field; empty when absent.
        name: The class, or the function's name.
        registered: Its ``registered_name`` field; empty when absent.
        function: Whether a function is named, not a class.
        origin: Where it comes from.
    """

    module: str
    name: str
    registered: str
    function: bool
    origin: Origin

    @classmethod
    def of(cls, node: dict[str, Any]) -> Reference:
        """Read the fields of a serialised object; its ``class_name`` must be a string."""
        name = node["class_name"]
        module = node.get("module")
        module = module if isinstance(module, str) else ""
        registered = node.get("registered_name")
        registered = registered if isinstance(registered, str) else ""
        function = name == "function" and isinstance(node.get("config"), str)
        if function:
            name = node["config"]
        elif not module and name.startswith(_QUALIFIED):
            module, _, name = name.rpartition(".")  # loaders that take the last part find the same class
        elif name == "__typespec__" and isinstance(node.get("spec_name"), str):
            name = node["spec_name"]
            if module.startswith("tensorflow.") and name.endswith("Spec"):
                return cls(module, name, registered, function=False, origin=Origin.KERAS)
        elif name == "TypeSpec" or (not module and "type_spec" in node):
            return cls(module, name, registered, function=False, origin=Origin.KERAS)
        return cls(module, name[:400], registered[:400], function, _origin(module, name, registered, function=function))

    @property
    def symbol(self) -> Symbol:
        """The name in its module."""
        return Symbol(self.module, self.name)

    @property
    def from_system(self) -> bool:
        """Whether the module is one that reaches the system, whatever the name in it."""
        return self.origin is Origin.FOREIGN and self.module.partition(".")[0] in _SYSTEM

    @property
    def plain_name(self) -> str:
        """The class's own name, without a registering package."""
        return self.name.rsplit(">", 1)[-1]

    @property
    def shown(self) -> str:
        """How a person knows it."""
        if ">" in self.registered:
            return self.registered
        return f"{self.module}.{self.name}" if self.module and self.module != "builtins" else self.name

    @property
    def shadowed(self) -> bool:
        """Whether it names a part of Keras but a registered object of another name would be taken."""
        if self.function or self.origin is not Origin.KERAS or not self.module:
            return False
        return self.registered not in {"", self.name} and not self.registered.startswith("keras") and ">" in self.registered

    def symbols(self) -> list[Symbol]:
        """Names that Keras looks up in the imported module: the class, else the registered name."""
        found = [self.symbol]
        if self.registered not in {"", self.name, "function"} and _NAME.match(self.registered):
            found.append(Symbol(self.module, self.registered))
        return found


def _origin(module: str, name: str, registered: str, *, function: bool) -> Origin:
    if module and module != "builtins":
        return origin(module, name, function=function)
    if ">" in name or ">" in registered:
        package, _, plain = (name if ">" in name else registered).partition(">")
        own = package.lower().split(".")[0] in _PACKAGES or (package == "Custom" and plain in CLASSES)
        return Origin.KERAS if own else Origin.REGISTERED  # TensorFlow 2.11 registered Keras' own optimizers as "Custom"
    if module:
        return origin(module, name, function=function)
    return Origin.KERAS if name in CLASSES or name in FUNCTIONS else Origin.REGISTERED
