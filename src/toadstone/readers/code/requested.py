"""Functions that a model server calls with what a client sent, and the calls in them that act on it as it came.

TorchServe, Triton, BentoML, MLflow, KServe, Seldon, SageMaker, Azure ML, Ray Serve, LitServe, Cog and the endpoints of hubs call
functions of the model's own code by name. What such a function gets is chosen by whoever reaches the server. A value counts as
it came when nothing but conversions lies between: a command with the client's text somewhere in the middle is another matter.

Sources: the handler pages of these projects' manuals.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from toadstone.core.value import Symbol

REQUEST = Symbol("serving", "request")
"""Stands for what a client sent to a model server."""
PAGE = Symbol("serving", "page")
"""Stands for what a client sent to a web page or demo."""

_METHODS = frozenset(
    "preprocess inference postprocess predict predict_fn input_fn output_fn transform_fn decode_request predict_raw"
    " classify explain generate_response".split()
)
_CONTEXTS = frozenset({"context", "ctx", "properties"})
_HEADERS = frozenset({"get_request_header", "get_all_request_header", "get_request_id"})
_ROUTES = frozenset({"route", "post", "get", "put", "websocket", "api_route"})
_DEMOS = frozenset({"Interface", "ChatInterface", "click", "submit", "change"})
_CONVERTERS = frozenset(
    "str bytes list tuple next dict BytesIO StringIO b64decode loads decode unquote fromhex iter get_input_tensor_by_name".split()
)
_LARGEST = 60_000
"""Syntax nodes of the largest source that is looked through."""
_ROUNDS = 3

Function = ast.FunctionDef | ast.AsyncFunctionDef


_ENTRY = re.compile(
    rf"\bdef\s+(?:handle|execute|__call__|init|{'|'.join(sorted(_METHODS))})\s*\(|\bbentoml\b"
    rf"|\.(?:api|task|{'|'.join(sorted(_ROUTES | _DEMOS))})\s*\("
)
"""What a source has to hold for any of its functions to be called by a server."""


def sent(tree: ast.Module, text: str) -> dict[int, Symbol]:
    """Give the calls whose first argument is what a client sent: identity of the node, and what stands for it.

    Args:
        tree: Of the source.
        text: The source.
    """
    found: dict[int, Symbol] = {}
    if _ENTRY.search(text) is None or not _may_serve(tree):
        return found
    demos = _demos(tree)
    for function, owner in _functions(tree):
        kind = _kind(function, owner, tree, demos)
        if kind is not None:
            flow = _Flow(function, kind is PAGE)
            found.update(dict.fromkeys(flow.calls(), kind))
    return found


def _may_serve(tree: ast.Module) -> bool:
    acts = False
    for count, node in enumerate(ast.walk(tree)):
        if count > _LARGEST:
            return False
        if isinstance(node, ast.Call) and not acts:
            acts = _last(node.func) in _ACTS
    return acts


_ACTS = frozenset(
    "eval exec compile system popen run call check_output check_call Popen getoutput getstatusoutput loads load unsafe_load"
    " full_load import_module __import__ create_subprocess_shell execute".split()
)
"""Last names of functions that are of interest; without one of them nothing has to be followed."""


def _functions(tree: ast.Module) -> Iterator[tuple[Function, ast.ClassDef | None]]:
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node, None
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    yield inner, node


def _kind(function: Function, owner: ast.ClassDef | None, tree: ast.Module, demos: set[str]) -> Symbol | None:
    """Say who calls a function with what a client sent; None: nobody that is known."""
    name = function.name
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    bases = {_last(base) for base in owner.bases} if owner is not None else set[str]()
    decorators = [item.func if isinstance(item, ast.Call) else item for item in function.decorator_list]
    if name == "handle" and len(names) >= 2 and (names[-1] in _CONTEXTS or "BaseHandler" in bases):
        return REQUEST
    if name == "execute" and owner is not None and owner.name == "TritonPythonModel":
        return REQUEST
    if name == "__call__" and owner is not None and (owner.name == "EndpointHandler" or _deployed(owner)):
        return REQUEST
    if name in _METHODS or any(_dotted(item) in ("bentoml.api", "svc.api", "bentoml.task") for item in decorators):
        return REQUEST
    if name == "run" and owner is None and any(isinstance(node, ast.FunctionDef) and node.name == "init" for node in tree.body):
        return REQUEST
    routed = any(isinstance(item, ast.Attribute) and item.attr in _ROUTES for item in decorators)
    return PAGE if routed or (owner is None and name in demos) else None


def _deployed(owner: ast.ClassDef) -> bool:
    decorators = [item.func if isinstance(item, ast.Call) else item for item in owner.decorator_list]
    return any(_dotted(item) in ("serve.deployment", "bentoml.service") for item in decorators)


def _demos(tree: ast.Module) -> set[str]:
    """Names of functions that Gradio is given to call."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last(node.func) in _DEMOS and isinstance(node.func, ast.Attribute):
            given = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "fn")]
            found.update(item.id for item in given if isinstance(item, ast.Name))
    return found


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _converted(call: ast.Call) -> list[ast.expr]:
    """Give what a call may give back in another form: the object whose method it is, or what a converter is handed."""
    parts = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    if _last(call.func) in _CONVERTERS:
        parts += call.args[:1]
    return parts


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return _last(node)


class _Flow:
    """Follows names that hold what a client sent through one function.

    Args:
        function: Its syntax.
        page: Whether a web framework calls it, which keeps the client's words in ``request``.
    """

    def __init__(self, function: Function, page: bool) -> None:
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        names = {argument.arg for argument in arguments}
        self._contexts = names & _CONTEXTS
        self._names = names - _CONTEXTS - {"self", "cls", "model"}
        if page:
            self._names |= {"request"}
        self._nodes = list(ast.walk(function))
        for _ in range(_ROUNDS):
            before = len(self._names)
            for node in self._nodes:
                self._bind(node)
            if len(self._names) == before:
                break

    def _bind(self, node: ast.AST) -> None:
        pairs: list[tuple[ast.expr, ast.expr]] = []
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.NamedExpr):
            pairs = [(node.target, node.value)]
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            pairs = [(node.target, node.iter)]
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            pairs = [(node.target, node.value)]
        for target, value in pairs:
            if self.came(value):
                self._names |= {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}

    def came(self, node: ast.expr) -> bool:
        """Whether an expression is what a client sent, or a part of it, but for conversions."""
        waiting = [node]
        while waiting:
            part = waiting.pop()
            if isinstance(part, ast.Name):
                if part.id in self._names:
                    return True
            elif isinstance(part, (ast.Attribute, ast.Subscript, ast.Await, ast.Starred)):
                waiting.append(part.value)
            elif isinstance(part, ast.Call):
                if isinstance(part.func, ast.Attribute) and self._asks(part.func):
                    return True
                waiting += _converted(part)
            elif isinstance(part, (ast.BoolOp, ast.IfExp)):
                waiting += part.values if isinstance(part, ast.BoolOp) else [part.body, part.orelse]
            elif isinstance(part, (ast.List, ast.Tuple)):
                waiting += part.elts[:1]
        return False

    def _asks(self, function: ast.Attribute) -> bool:
        """Whether a call asks the server for a header of the request."""
        return isinstance(function.value, ast.Name) and function.value.id in self._contexts and function.attr in _HEADERS

    def calls(self) -> Iterator[int]:
        """Give the identities of the calls whose first argument is what a client sent."""
        for node in self._nodes:
            if isinstance(node, ast.Call) and node.args and _last(node.func) in _ACTS and self.came(node.args[0]):
                yield id(node)
