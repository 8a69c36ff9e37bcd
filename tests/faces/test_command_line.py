"""What a user types and what comes back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from toadstone.core.check import discover
from toadstone.core.version import __version__
from toadstone.faces.cli import COMMANDS


def test_help_lists_every_command_and_the_exit_codes(toadstone):
    told = toadstone("--help")
    assert told.code == 0
    for command, meaning in COMMANDS.items():
        assert f"{command} " in told.out
        assert meaning in told.out
    assert "exit codes: 0 clean and complete" in told.out


def test_nothing_typed_is_a_usage_error_with_the_help(toadstone):
    assert toadstone().code == 2


@pytest.mark.parametrize("words", [("-h",), ("help",), ("--version",), ("-V",)])
def test_spellings_of_help_and_version(toadstone, words):
    told = toadstone(*words)
    assert (told.code, told.err) == (0, "")
    assert told.out == f"toadstone {__version__}\n" if words[0] in ("--version", "-V") else "usage:" in told.out


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_of_every_command(toadstone, capsys, command):
    with pytest.raises(SystemExit) as ended:
        toadstone(command, "--help")
    assert ended.value.code == 0
    assert f"usage: toadstone {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("scna",), "Did you mean 'scan'?"),
        (("--verison",), "there is no option '--verison'"),
        (("scan", ".", "--fromat", "json"), "unknown option --fromat.\nDid you mean '--format'?"),
        (("scan", ".", "--format", "jsn"), "invalid choice: 'jsn'"),
        (("scan", ".", "--fail-on", "info"), "invalid choice: 'info'"),
        (("scan",), "required: TARGET"),
        (("explain", "unsafe-imprt"), "Did you mean 'unsafe-import'?"),
        (("explain", "zzzz"), "`toadstone checks` lists them all."),
        (("scan", "ftp://host/model.pkl"), "ftp:// is not read"),
        (("scan", "hf://bert"), "Did you mean hf://OWNER/bert?"),
    ],
)
def test_mistakes_are_usage_errors_with_advice(toadstone, words, said):
    told = toadstone(*words)
    assert told.code == 2
    assert told.out == ""
    assert told.err.startswith("toadstone: ")
    assert said in told.err
    assert "Traceback" not in told.err


def test_every_check_is_listed_and_explained(toadstone):
    listed = toadstone("checks").out
    for name, cls in discover().items():
        assert f"{name:<28} {cls.severity.label}" in listed
        page = toadstone("explain", name)
        assert page.code == 0
        assert page.out.startswith(f"{name} ({cls.severity.label})\n")
        assert "## Remedy" in page.out


@pytest.mark.parametrize(
    ("names", "options", "code"),
    [
        (("good",), (), 0),
        (("bad",), (), 1),
        (("odd",), (), 3),
        (("good", "odd"), (), 3),
        (("odd", "bad"), (), 1),
        (("bad",), ("--fail-on", "critical"), 1),
        (("good",), ("--fail-on", "low"), 0),
    ],
)
def test_exit_codes(toadstone, files, names, options, code):
    assert toadstone("scan", *(files[name] for name in names), *options).code == code


def test_the_gate_decides_what_fails(toadstone):
    from tests.payloads import UNKNOWN_CODE

    Path("model.pkl").write_bytes(UNKNOWN_CODE)
    assert toadstone("scan", "model.pkl").code == 0
    told = toadstone("scan", "model.pkl", "--fail-on", "medium")
    assert told.code == 1
    assert "acme_features.encoders.RegionEncoder" in told.out


def test_options_stand_before_or_after_targets(toadstone, files):
    runs = [
        ("--format", "json", "bad.pkl", "good.pkl"),
        ("bad.pkl", "good.pkl", "--format", "json"),
        ("bad.pkl", "--format=json", "good.pkl"),
    ]
    said = {(told.code, told.out) for told in (toadstone("scan", *words) for words in runs)}
    assert len(said) == 1


def test_quiet_prints_nothing_and_keeps_the_exit_code(toadstone, files):
    for name, code in (("good", 0), ("bad", 1), ("odd", 3)):
        told = toadstone("scan", "--quiet", files[name])
        assert (told.code, told.out, told.err) == (code, "", "")


def test_json_is_one_document_of_the_promised_shape(toadstone, files, root):
    told = toadstone("scan", ".", "--format", "json")
    report = told.report(root)
    assert told.code == 1
    assert report["verdict"] == "malicious"
    assert report["complete"] is False
    assert [subject["path"] for subject in report["subjects"]] == ["./bad.pkl", "./good.pkl", "./odd.bin"]
    (finding,) = report["findings"]
    assert finding["check"] == "unsafe-import"
    assert finding["place"]["path"] == "./bad.pkl"
    assert finding["evidence"]["code"] == "os.system('echo toadstone')"
    assert report["subjects"][2]["coverage"]["unread"]


def test_output_goes_to_the_file_and_nowhere_else(toadstone, files, root):
    plain = toadstone("scan", "bad.pkl", "--format", "json")
    told = toadstone("scan", "bad.pkl", "--format", "json", "--output", "report.json")
    assert (told.code, told.out, told.err) == (1, "", "")
    assert Path("report.json").read_text(encoding="utf-8") == plain.out
    quiet = toadstone("scan", "bad.pkl", "--format", "json", "--quiet", "--output", "again.json")
    assert (quiet.code, quiet.out) == (1, "")
    assert Path("again.json").read_text(encoding="utf-8") == plain.out


def test_an_output_that_cannot_be_written_is_said(toadstone, files):
    told = toadstone("scan", "good.pkl", "--output", "no/such/folder/report.txt")
    assert told.code == 2
    assert "no/such/folder/report.txt cannot be written: No such file or directory." in told.err


def test_a_missing_target_is_named_with_what_was_meant(toadstone, files):
    told = toadstone("scan", "god.pkl")
    assert told.code == 2
    assert told.err == "toadstone: god.pkl does not exist.\nDid you mean 'good.pkl'?\n"


def test_an_empty_folder_is_clean_and_says_that_nothing_was_there(toadstone):
    Path("empty").mkdir()
    told = toadstone("scan", "empty")
    assert told.code == 0
    assert "0 files" in told.out
    assert "nothing to look at" in told.out


def test_a_pipe_is_refused(toadstone):
    os.mkfifo("pipe")
    told = toadstone("scan", "pipe")
    assert told.code == 2
    assert "neither a file nor a folder" in told.err


def test_excluded_paths_are_not_looked_at(toadstone, files, root):
    Path("fixtures/deep").mkdir(parents=True)
    Path("fixtures/deep/trap.pkl").write_bytes(files["bad"].read_bytes())
    told = toadstone("scan", ".", "--exclude", "**/fixtures/**", "--exclude", "bad.pkl", "--exclude", "odd.*", "--format", "json")
    assert [subject["path"] for subject in told.report(root)["subjects"]] == ["./good.pkl"]


def _shell(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "COLUMNS": "100", **environment}
    command = [sys.executable, "-m", "toadstone", *words]
    return subprocess.run(command, capture_output=True, text=True, env=settings, timeout=60, check=False)


def test_no_colours_and_no_progress_where_nobody_looks(files):
    told = _shell("scan", "bad.pkl", "--no-cache")
    assert told.returncode == 1
    assert "\x1b" not in told.stdout + told.stderr
    assert told.stderr == ""


@pytest.mark.parametrize(
    ("options", "environment", "coloured"),
    [((), {}, True), (("--no-color",), {}, False), ((), {"NO_COLOR": "1"}, False), (("--output", "x.txt"), {}, False)],
)
def test_colours_only_on_a_terminal_that_wants_them(files, tmp_path, options, environment, coloured):
    """Run behind a pseudo-terminal."""
    import pty

    settings = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | environment | {"TERM": "xterm"}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "toadstone", "scan", "bad.pkl", "--no-cache", *options]
    child = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=settings)
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        said += piece
    os.close(ours)
    assert child.wait(60) == 1
    assert (b"\x1b[" in said) is coloured


def test_a_reader_that_goes_away_is_no_accident(files):
    command = f"{sys.executable} -m toadstone checks | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr


def test_help_loads_no_reader_and_no_heavy_module():
    program = "import sys; from toadstone.faces.cli import main; main(['--help']); print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stderr.split())
    assert not {name for name in loaded if name.startswith(("toadstone.readers", "toadstone.checks", "jinja2", "yaml", "numpy"))}
    assert not loaded & {"argparse", "ast", "inspect", "sqlite3"}


def test_help_comes_within_a_tenth_of_a_second_of_a_bare_interpreter():
    import time

    def quickest(*words: str) -> float:
        times = []
        for _ in range(7):
            began = time.perf_counter()
            subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, timeout=60, check=True)
            times.append(time.perf_counter() - began)
        return min(times)

    assert quickest("-m", "toadstone", "--help") - quickest("-c", "pass") < 0.1
