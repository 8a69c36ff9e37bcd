"""Stores as MLflow 3.17 writes them (its own file and SQLite stores were read to learn how), small."""

from __future__ import annotations

import sqlite3
from pathlib import Path

RUN, TUNED, MODEL, DATA = "6c669d0f337a4cad", "dd1a1af1fd464a57", "m-9ae4df33afd44ad4", "a6d16b225b4be93b"
SOURCE = '{"uri": "train.parquet"}'

_TABLES = """
CREATE TABLE experiments (experiment_id INTEGER, name TEXT, artifact_location TEXT, lifecycle_stage TEXT);
CREATE TABLE runs (run_uuid TEXT, name TEXT, status TEXT, start_time BIGINT, lifecycle_stage TEXT, artifact_uri TEXT,
 experiment_id INTEGER);
CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE datasets (dataset_uuid TEXT, experiment_id INTEGER, name TEXT, digest TEXT,
 dataset_source_type TEXT, dataset_source TEXT);
CREATE TABLE inputs (input_uuid TEXT, source_type TEXT, source_id TEXT, destination_type TEXT, destination_id TEXT, step BIGINT);
CREATE TABLE logged_models (model_id TEXT, experiment_id INTEGER, name TEXT, artifact_location TEXT, source_run_id TEXT);
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def folder(home: Path) -> Path:
    """Write two runs: one read a data set and logged a model, the other took that model and left weights."""
    store = home / "mlruns"
    mail = store / "17"
    write(
        mail / "meta.yaml", "artifact_location: /elsewhere/mlruns/17\nexperiment_id: '17'\nlifecycle_stage: active\nname: mail\n"
    )
    for run, name, began, status in ((RUN, "first", 1700000000000, 3), (TUNED, "second", 1700000001000, 4)):
        write(
            mail / run / "meta.yaml",
            f"artifact_uri: /elsewhere/mlruns/17/{run}/artifacts\nlifecycle_stage: active\nrun_id: {run}\nrun_name: {name}\n"
            f"start_time: {began}\nstatus: {status}\ntags: []\nend_time: null\n",
        )
        write(mail / run / "tags" / "mlflow.runName", name)
    write(mail / RUN / "tags" / "mlflow.source.git.commit", "0a1b2c")
    write(mail / RUN / "params" / "optimizer" / "alpha", "0.5")
    write(
        mail / RUN / "inputs" / "1" / "meta.yaml",
        f"destination_id: {RUN}\ndestination_type: RUN\nsource_id: {DATA}\nsource_type: DATASET\n"
        "tags:\n  mlflow.data.context: training\n",
    )
    write(
        mail / "datasets" / DATA / "meta.yaml",
        f"digest: 7db13eb5\nname: mails\nprofile: '{{\"num_rows\": 40}}'\nschema: '{{\"a\":\n  1}}'\n"
        f"source: '{SOURCE}'\nsource_type: local\n",
    )
    write(
        mail / RUN / "outputs" / MODEL / "meta.yaml",
        f"destination_id: {MODEL}\ndestination_type: MODEL_OUTPUT\nsource_id: {MODEL}\n"
        "source_type: RUN_OUTPUT\nstep: 0\ntags: {}\n",
    )
    write(mail / "models" / MODEL / "meta.yaml", f"artifact_location: /elsewhere/m\nmodel_id: {MODEL}\nname: filter\n")
    write(mail / "models" / MODEL / "artifacts" / "model.bin", "weights")
    write(
        mail / TUNED / "inputs" / "2" / "meta.yaml",
        f"destination_id: {MODEL}\ndestination_type: MODEL_INPUT\nsource_id: {TUNED}\nsource_type: RUN_INPUT\n",
    )
    write(mail / TUNED / "artifacts" / "tuned" / "model.bin", "tuned weights")
    return store


def database(home: Path) -> Path:
    """Write the same runs into a database; what they made lies in `folder`'s place."""
    folder(home)
    path = home / "mlflow.db"
    held = sqlite3.connect(path)
    held.executescript(_TABLES)
    held.execute("INSERT INTO experiments VALUES (17, 'mail', 'file:///elsewhere', 'active')")
    for run, name, began, status in ((RUN, "first", 1700000000000, "FINISHED"), (TUNED, "second", 1700000001000, "FAILED")):
        place = f"file:///elsewhere/{run}/artifacts"
        held.execute("INSERT INTO runs VALUES (?, ?, ?, ?, 'active', ?, 17)", (run, name, status, began, place))
    held.execute("INSERT INTO params VALUES ('optimizer/alpha', '0.5', ?)", (RUN,))
    held.execute("INSERT INTO tags VALUES ('mlflow.source.git.commit', '0a1b2c', ?)", (RUN,))
    held.execute("INSERT INTO datasets VALUES (?, 17, 'mails', '7db13eb5', 'local', ?)", (DATA, SOURCE))
    held.execute("INSERT INTO inputs VALUES ('1', 'DATASET', ?, 'RUN', ?, 0)", (DATA, RUN))
    held.execute("INSERT INTO inputs VALUES ('2', 'RUN_OUTPUT', ?, 'MODEL_OUTPUT', ?, 0)", (RUN, MODEL))
    held.execute("INSERT INTO inputs VALUES ('3', 'RUN_INPUT', ?, 'MODEL_INPUT', ?, 0)", (TUNED, MODEL))
    held.execute("INSERT INTO logged_models VALUES (?, 17, 'filter', 'file:///elsewhere/m', ?)", (MODEL, RUN))
    held.commit()
    held.close()
    return path
