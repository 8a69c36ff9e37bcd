"""Configuration, waivers and suppressions, as a user writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

SUPPRESS = """
[[suppress]]
check = "unsafe-import"
path = "bad.pkl"
reason = "a test file, read by hand"
expires = {expires}
"""


def test_a_waiver_counts_until_it_expires(toadstone, files, root):
    Path("toadstone.toml").write_text(SUPPRESS.format(expires="2999-12-31"))
    told = toadstone("scan", "bad.pkl", "--format", "json")
    report = told.report(root)
    assert told.code == 0
    assert (report["verdict"], report["findings"]) == ("clean", [])
    assert report["suppressed"][0]["reason"] == "a test file, read by hand (until 2999-12-31)"
    Path("toadstone.toml").write_text(SUPPRESS.format(expires="2020-01-01"))
    assert toadstone("scan", "bad.pkl").code == 1


def test_waived_findings_are_counted_and_listed_on_demand(toadstone, files):
    Path("toadstone.toml").write_text(SUPPRESS.format(expires="2999-12-31"))
    assert "1 waived finding (--verbose lists them)" in toadstone("scan", "bad.pkl").out
    assert "a test file, read by hand" in toadstone("scan", "bad.pkl", "--verbose").out


def test_a_waiver_covers_its_path_only(toadstone, files):
    Path("toadstone.toml").write_text(SUPPRESS.format(expires="2999-12-31"))
    Path("other.pkl").write_bytes(files["bad"].read_bytes())
    assert toadstone("scan", "other.pkl").code == 1


def test_a_waiver_for_a_digest_ends_when_the_file_changes(toadstone, files, root):
    sha256 = toadstone("scan", "bad.pkl", "--format", "json").report(root)["subjects"][0]["digests"]["sha256"]
    entry = SUPPRESS.format(expires="2999-12-31") + f'sha256 = "{sha256}"\n'
    Path("toadstone.toml").write_text(entry)
    assert toadstone("scan", "bad.pkl").code == 0
    files["bad"].write_bytes(files["bad"].read_bytes().replace(b"echo", b"true"))
    assert toadstone("scan", "bad.pkl").code == 1


def test_reviewed_code_is_allowed_by_name(toadstone):
    from tests.payloads import UNKNOWN_CODE

    Path("model.pkl").write_bytes(UNKNOWN_CODE)
    symbol = "acme_features.encoders.RegionEncoder"
    Path("toadstone.toml").write_text(
        f'fail-on = "medium"\n[[allow]]\nsymbol = "{symbol}"\nreason = "ours"\nexpires = 2999-01-01\n'
    )
    assert toadstone("scan", "model.pkl").code == 0
    Path("toadstone.toml").write_text('fail-on = "medium"\n')
    assert toadstone("scan", "model.pkl").code == 1


def test_a_suppression_file_is_named_on_the_command_line(toadstone, files):
    Path("known.toml").write_text(SUPPRESS.format(expires='"2999-12-31"'))
    assert toadstone("scan", "bad.pkl", "--suppress", "known.toml").code == 0


def test_settings_are_found_above_and_in_pyproject(toadstone, files, monkeypatch):
    Path("pyproject.toml").write_text('[tool.toadstone]\nexclude = ["bad.pkl", "odd.bin"]\n')
    Path("below").mkdir()
    monkeypatch.chdir("below")
    assert toadstone("scan", "..").code == 0


def test_a_policy_that_lies_in_the_scanned_folder_is_not_trusted(toadstone, files):
    """Whoever made the model must not decide how it is judged."""
    model = Path("model")
    model.mkdir()
    (model / "weights.pkl").write_bytes(files["bad"].read_bytes())
    (model / "toadstone.toml").write_text(SUPPRESS.format(expires="2999-12-31").replace("bad.pkl", "*"))
    assert toadstone("scan", "model").code == 1


def test_settings_that_are_part_of_what_is_scanned_are_named(toadstone, files, root):
    """Somebody stands in a downloaded folder: its settings count as for any project, but never silently."""
    Path("toadstone.toml").write_text('exclude = ["**"]\n')
    told = toadstone("scan", ".", "--format", "json")
    assert told.report(root)["subjects"] == []
    assert told.err.startswith("toadstone: using the settings of ")
    assert "which is part of what is scanned; --policy FILE names others." in told.err
    Path("mine.toml").write_text("")
    strict = toadstone("scan", ".", "--policy", "mine.toml")
    assert (strict.code, strict.err) == (1, "")
    assert toadstone("scan", "bad.pkl").err == ""
    assert toadstone("scan", ".", "--quiet").err == ""


def test_nothing_is_imported_from_where_models_lie(toadstone, tmp_path):
    """`python -m` puts the working folder on the path; a model that brings a `jinja2.py` must not run it."""
    import subprocess
    import sys

    for name in ("jinja2", "yaml", "blake3", "json", "argparse", "shlex"):
        Path(f"{name}.py").write_text(f"print('imported {name}'); raise SystemExit(99)\n")
    Path("chat_template.jinja").write_text("{{ messages[0].content }}")
    Path("settings.yaml").write_text("a: 1\n")
    command = [sys.executable, "-m", "toadstone", "scan", ".", "--no-cache", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert not done.stdout.startswith("imported")


def test_a_check_can_be_switched_off(toadstone, files):
    Path("toadstone.toml").write_text("[checks.unsafe-import]\nenabled = false\n")
    assert toadstone("scan", "bad.pkl").code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fail-on = ", "toadstone.toml is no valid TOML"),
        ('fail_on = "high"', "unknown key 'fail_on'.\nDid you mean 'fail-on'?"),
        ('fail-on = "severe"', "'severe' is no severity; use info, low, medium, high or critical"),
        ('stage = "training"', "stage must be one of pretraining, tuning, embedding, serving. Got 'training' instead."),
        ('exclude = "fixtures"', "exclude must be a list of strings. Got 'fixtures' instead."),
        ("checks = 3", "checks must be a table of tables"),
        ("[checks.unsafe-imports]\nenabled = false", "there is no check 'unsafe-imports'.\nDid you mean 'unsafe-import'?"),
        ("[checks.unsafe-import]\nenabeld = false", "the check 'unsafe-import' has no setting 'enabeld'."),
        ('[checks.custom-operator]\nallow = "my.domain"', "must be a list. Got 'my.domain' instead."),
        ('plugins = ["no_such_plugin_anywhere"]', "plugin 'no_such_plugin_anywhere' cannot be imported"),
        (
            '[[suppress]]\ncheck = "unsafe-import"\nexpires = 2999-01-01',
            "needs a reason.\nSay who reviewed it and why it is acceptable.",
        ),
        (
            '[[suppress]]\ncheck = "unsafe-import"\nreason = "because"',
            "needs `expires`, a date such as 2027-06-30.\nNothing is waived for ever.",
        ),
        ('[[suppress]]\nreason = "because"\nexpires = 2999-01-01', "needs `check`."),
        ('[[allow]]\nsymbl = "x"\nreason = "because"\nexpires = 2999-01-01', "Did you mean 'symbol'?"),
    ],
)
def test_mistakes_in_the_settings_are_said_where_they_are(toadstone, files, text, said):
    Path("toadstone.toml").write_text(text + "\n")
    told = toadstone("scan", "good.pkl")
    assert told.code == 2
    assert said in told.err
    assert told.out == ""


@pytest.mark.parametrize("option", ["--policy", "--suppress"])
def test_a_missing_file_is_said(toadstone, files, option):
    told = toadstone("scan", "good.pkl", option, "missing.toml")
    assert told.code == 2
    assert "missing.toml cannot be read: No such file or directory." in told.err


def test_a_suppression_file_takes_nothing_else(toadstone, files):
    Path("known.toml").write_text('fail-on = "critical"\n')
    told = toadstone("scan", "bad.pkl", "--suppress", "known.toml")
    assert told.code == 2
    assert "unknown key 'fail-on' in a suppression file" in told.err
