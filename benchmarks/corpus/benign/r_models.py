"""R: models and plain objects by ``saveRDS`` and ``save``, in every encoding, compression and version. Needs ``Rscript``."""

from __future__ import annotations

import shutil
import subprocess

from benchmarks.corpus.benign.workshop import Shelf

MODELS = {
    "lm": "lm(mpg ~ wt, mtcars)",
    "glm": "glm(am ~ wt, binomial, mtcars)",
    "nls": "nls(mpg ~ a + b * wt, mtcars, start = list(a = 40, b = -5))",
    "loess": "loess(mpg ~ wt, mtcars)",
    "kmeans": "kmeans(iris[, 1:4], 3)",
    "prcomp": "prcomp(USArrests)",
    "hclust": "hclust(dist(1:9))",
    "arima": "arima(lh, order = c(1, 0, 0))",
    "spline": "splinefun(1:10, (1:10)^2)",
    "ecdf": "ecdf(mtcars$mpg)",
    "closure": "(function(a) function(b) a + b)(sum(1:3))",
    "lazy": "(function(...) function() list(...))(sum(1), rnorm(2))",
    "environment": "list2env(list(a = 1, f = function(x) x + 1))",
    "bytecode": "compiler::cmpfun(function(x) mean(x) + 1)",
    "frame": "iris",
    "values": "list(NULL, NA, 'x', 1i, raw(3), TRUE, sum, `if`, 1:10, factor('a'), quote(a + b), y ~ x, expression(a))",
}
WAYS = {
    "gzip": "saveRDS(v, p)",
    "plain": "saveRDS(v, p, compress = FALSE)",
    "bzip2": "saveRDS(v, p, compress = 'bzip2')",
    "xz": "saveRDS(v, p, compress = 'xz')",
    "ascii": "saveRDS(v, p, ascii = TRUE, compress = FALSE)",
    "version2": "saveRDS(v, p, version = 2)",
    "native": "local({ c <- file(p, 'wb'); serialize(v, c, xdr = FALSE); close(c) })",
    "workspace": "save(v, file = p)",
}


def objects(shelf: Shelf) -> None:
    """Every model compressed as R does by default, and one in every other way.

    Raises:
        RuntimeError: R is not installed.
    """
    program = shutil.which("Rscript")
    if program is None:
        raise RuntimeError("Rscript is not installed")
    lines = ["set.seed(1)"]
    for name, made in MODELS.items():
        for way in ("gzip", "workspace") if name != "lm" else tuple(WAYS):
            suffix = "RData" if way == "workspace" else "rds"
            path = shelf.put(f"{name}-{way}.{suffix}", library="r", subject=name, technique=f"r-{way}")
            lines.append(f'v <- {made}; p <- "{path}"; {WAYS[way]}')
    subprocess.run([program, "-e", "\n".join(lines)], check=True, capture_output=True)
