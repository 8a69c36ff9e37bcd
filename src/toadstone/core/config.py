"""Reads ``toadstone.toml``, ``[tool.toadstone]`` in ``pyproject.toml``, and suppression files.

::

    fail-on = "high"
    exclude = ["**/fixtures/**"]
    plugins = ["my_company.toadstone_checks"]
    intel = "security/indicators"  # folder of lists of indicators, relative to this file

    [checks.unreviewed-call]
    enabled = true

    [[allow]]                      # code that this project has reviewed
    symbol = "my_models.Tokenizer"
    reason = "our own class, reviewed in change 4711"
    expires = 2027-06-30

    [[suppress]]                   # a finding that is known
    check = "remote-code"
    path = "models/falcon/*"
    reason = "pinned revision, code read"
    expires = 2027-01-31
"""

from __future__ import annotations

import os

from toadstone.core.check import ALL_STAGES
from toadstone.core.errors import ConfigError, nearest
from toadstone.core.finding import Severity
from toadstone.core.policy import Config, Waiver
from toadstone.core.record import replace

_TOP = ("fail-on", "stage", "exclude", "plugins", "checks", "allow", "suppress", "intel")
_SUPPRESSIONS = ("suppress", "allow", "quarantine", "rows")
_ENTRY = ("check", "path", "symbol", "sha256", "group", "reason", "expires")


def find_config(start: str | os.PathLike[str]) -> Config:
    """Read the nearest configuration at or above a folder; defaults when there is none.

    Raises:
        ConfigError: If the file is wrong: which key, what is expected.
    """
    below, folder = None, os.path.abspath(start)
    while folder != below:
        if os.path.isfile(own := os.path.join(folder, "toadstone.toml")):
            return read_config(own)
        if os.path.isfile(project := os.path.join(folder, "pyproject.toml")) and _mentions_us(project):
            table = _parse(project).get("tool", {})
            if isinstance(table, dict) and "toadstone" in table:
                return _config(table["toadstone"], project)
        below, folder = folder, os.path.dirname(folder)
    return Config()


def _mentions_us(project: str) -> bool:
    """Whether a ``pyproject.toml`` can have our table; parsing one costs more than scanning a small model."""
    try:
        with open(project, "rb") as stream:
            return b"toadstone" in stream.read()
    except OSError:
        return True  # `_parse` says what is wrong


def read_config(path: str | os.PathLike[str]) -> Config:
    """Read one configuration file.

    Raises:
        ConfigError: If it cannot be read or is wrong.
    """
    return _config(_parse(path), str(path))


def read_suppressions(path: str | os.PathLike[str]) -> tuple[Waiver, ...]:
    """Read a suppression file: a TOML file of ``[[suppress]]`` and ``[[allow]]`` entries.

    Reviews of rows add ``[[quarantine]]`` and ``[rows]``, which speak to ``toadstone clean`` only.

    Raises:
        ConfigError: If it cannot be read or is wrong.
    """
    table = _parse(path)
    for key in table:
        if key not in _SUPPRESSIONS:
            raise ConfigError(f"{path}: unknown key {key!r} in a suppression file.", nearest(key, _SUPPRESSIONS))
    return _waivers(table, str(path))


def _parse(path: str | os.PathLike[str]) -> dict[str, object]:
    import tomllib  # noqa: PLC0415  (only where there is something to read)

    try:
        with open(path, "rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no valid TOML: {error}.") from None


def _config(table: object, origin: str) -> Config:
    if not isinstance(table, dict):
        raise ConfigError(f"{origin}: the settings must be a table.")
    for key in table:
        if key not in _TOP:
            raise ConfigError(f"{origin}: unknown key {key!r}.", nearest(key, _TOP) or f"Known keys: {', '.join(_TOP)}.")
    config = Config(origin=origin, waivers=_waivers(table, origin))
    if "fail-on" in table:
        try:
            config = replace(config, gate=Severity.parse(str(table["fail-on"])))
        except ValueError as error:
            raise ConfigError(f"{origin}: fail-on: {error}.") from None
    if "stage" in table:
        if table["stage"] not in ALL_STAGES:
            raise ConfigError(f"{origin}: stage must be one of {', '.join(ALL_STAGES)}. Got {table['stage']!r} instead.")
        config = replace(config, stage=table["stage"])
    config = replace(config, intel=_folder(table, "intel", origin))
    checks = table.get("checks", {})
    if not isinstance(checks, dict) or not all(isinstance(settings, dict) for settings in checks.values()):
        raise ConfigError(f"{origin}: checks must be a table of tables, [checks.CHECK].")
    return replace(config, checks=checks, exclude=_words(table, "exclude", origin), plugins=_words(table, "plugins", origin))


def _folder(table: dict[str, object], key: str, origin: str) -> str:
    """Give the path of a folder, relative to the file that names it; empty when it names none."""
    value = table.get(key, "")
    if not isinstance(value, str):
        raise ConfigError(f"{origin}: {key} must be the path of a folder. Got {value!r} instead.")
    return os.path.join(os.path.dirname(origin), value) if value else ""


def _words(table: dict[str, object], key: str, origin: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{origin}: {key} must be a list of strings. Got {value!r} instead.")
    return tuple(value)


def _waivers(table: dict[str, object], origin: str) -> tuple[Waiver, ...]:
    found: list[Waiver] = []
    for kind in ("allow", "suppress"):
        entries = table.get(kind, [])
        if not isinstance(entries, list):
            raise ConfigError(f"{origin}: {kind} must be a list of tables, [[{kind}]].")
        for number, entry in enumerate(entries, 1):
            found.append(_waiver(entry, kind, f"{origin}: [[{kind}]] number {number}"))
    return tuple(found)


def _waiver(entry: object, kind: str, origin: str) -> Waiver:
    import datetime as dt  # noqa: PLC0415  (only where there is a date to read)

    if not isinstance(entry, dict):
        raise ConfigError(f"{origin} must be a table.")
    for key in entry:
        if key not in _ENTRY:
            raise ConfigError(f"{origin}: unknown key {key!r}.", nearest(key, _ENTRY))
    if not isinstance(entry.get("reason"), str) or not entry["reason"].strip():
        raise ConfigError(f"{origin} needs a reason.", "Say who reviewed it and why it is acceptable.")
    expires = entry.get("expires")
    if isinstance(expires, str):
        try:
            expires = dt.date.fromisoformat(expires)
        except ValueError:
            expires = None
    if not isinstance(expires, dt.date):
        raise ConfigError(f"{origin} needs `expires`, a date such as 2027-06-30.", "Nothing is waived for ever.")
    if isinstance(expires, dt.datetime):
        expires = expires.date()
    wanted = "symbol" if kind == "allow" else "check"
    if not entry.get(wanted):
        raise ConfigError(f"{origin} needs `{wanted}`.")
    texts = {key: str(entry[key]) for key in ("check", "path", "symbol", "sha256", "group") if key in entry}
    return Waiver(reason=entry["reason"].strip(), expires=expires, origin=origin, **texts)
