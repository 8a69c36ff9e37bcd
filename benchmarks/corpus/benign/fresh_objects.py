"""Tables, arrays, molecules and geometry, and objects around torch, of libraries that no rule was written with."""

from __future__ import annotations

import pickle

import ase
import dask.array
import geopandas
import gpytorch
import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import torch
import torch_geometric.data
import torch_geometric.nn
import xarray
from fastcore.foundation import L
from rdkit import Chem
from shapely.geometry import Point

from benchmarks.corpus.benign.workshop import SEED, Shelf


def _saved(shelf: Shelf, library: str, subject: str, thing: object) -> None:
    for protocol in (2, 4, 5):
        path = shelf.put(f"{subject}.p{protocol}.pkl", library=library, subject=subject, technique=f"pickle-{protocol}")
        path.write_bytes(pickle.dumps(thing, protocol))
    joblib.dump(thing, shelf.put(f"{subject}.joblib", library=library, subject=subject, technique="joblib"))


def _torch(shelf: Shelf, library: str, subject: str, thing: object) -> None:
    torch.save(thing, shelf.put(f"{subject}.pt", library=library, subject=subject, technique="torch-zip"))
    legacy = shelf.put(f"{subject}.legacy.pt", library=library, subject=subject, technique="torch-legacy")
    torch.save(thing, legacy, _use_new_zipfile_serialization=False)


def tables(shelf: Shelf) -> None:
    """Data frames and arrays."""
    _saved(shelf, "polars", "DataFrame", pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    _saved(shelf, "pyarrow", "Table", pa.table({"a": [1, 2], "b": ["x", None]}))
    _saved(shelf, "pandas", "StringFrame", pd.DataFrame({"id": ["r1", None], "t": pd.date_range("2020", periods=2, tz="UTC")}))
    rows = np.random.default_rng(SEED).random((2, 3))
    _saved(shelf, "xarray", "Dataset", xarray.Dataset({"t": (("x", "y"), rows)}, coords={"x": pd.date_range("2020", periods=2)}))
    _saved(shelf, "dask", "Array", dask.array.ones((4, 4), chunks=2))
    _saved(shelf, "fastcore", "L", L(1, 2, 3))


def shapes(shelf: Shelf) -> None:
    """Molecules and maps."""
    _saved(shelf, "rdkit", "Mol", [Chem.MolFromSmiles("CCO")])
    _saved(shelf, "ase", "Atoms", ase.Atoms("H2", [(0, 0, 0), (0, 0, 1)]))
    _saved(shelf, "geopandas", "GeoDataFrame", geopandas.GeoDataFrame({"a": [1]}, geometry=[Point(0, 1)], crs="EPSG:4326"))


def geometric(shelf: Shelf) -> None:
    """Graph data sets and Gaussian processes, saved whole."""
    edges = torch.tensor([[0, 1], [1, 2]])
    _torch(shelf, "torch-geometric", "Data", torch_geometric.data.Data(x=torch.rand(3, 2), edge_index=edges))
    _torch(shelf, "torch-geometric", "HeteroData", torch_geometric.data.HeteroData())
    kernel = gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel())
    _torch(shelf, "gpytorch", "ScaleKernel", kernel)
    _torch(shelf, "gpytorch", "GaussianLikelihood", gpytorch.likelihoods.GaussianLikelihood())


def torch_objects(shelf: Shelf) -> None:
    """Optimisers, data sets, loaders and layouts, saved whole."""
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
    optimiser = torch.optim.AdamW(model.parameters())
    for name, thing in {
        "AdamW": optimiser,
        "CosineAnnealingLR": torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 5),
        "TensorDataset": torch.utils.data.TensorDataset(torch.rand(2, 2)),
        "Transformer": torch.nn.Transformer(8, 2, 1, 1, 16),
        "AveragedModel": torch.optim.swa_utils.AveragedModel(model),
        "sparse": torch.rand(3, 3).to_sparse(),
        "sparse-csr": torch.rand(3, 3).to_sparse_csr(),
        "nested": torch.nested.nested_tensor([torch.rand(2), torch.rand(3)]),
        "float8": torch.rand(2).to(torch.float8_e4m3fn),
        "meta": torch.rand(2, device="meta"),
    }.items():
        _torch(shelf, "torch", f"fresh-{name}", thing)
