"""Datalab's outliers and near-duplicates of vectors: ``python datalab_vectors.py FILE.parquet``."""

from __future__ import annotations

import json
import sys
import time
import warnings

import numpy as np
import pyarrow.parquet as pq
from cleanlab import Datalab

warnings.filterwarnings("ignore")


def main(source: str) -> None:
    """Find them and print the CPU seconds that it took."""
    table = pq.read_table(source)
    vectors = np.asarray(table["vector"].combine_chunks().flatten()).reshape(table.num_rows, -1)
    begun = time.process_time()
    lab = Datalab({"label": table["label"].to_pylist()}, label_name="label", verbosity=0)
    lab.find_issues(features=vectors, issue_types={"outlier": {}, "near_duplicate": {}})
    found = {name: int(lab.get_issues(name)[f"is_{name}_issue"].sum()) for name in ("outlier", "near_duplicate")}
    print(json.dumps({"cpu": time.process_time() - begun, "rows": table.num_rows, **found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
