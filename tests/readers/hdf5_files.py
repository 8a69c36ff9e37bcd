"""HDF5 files for the tests, and what the walk finds in them."""

import io

import h5py

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Anomaly, Import, Unread
from toadstone.core.place import Place
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk


class Echo:
    def __reduce__(self):
        return (__import__("os").system, ("echo inert",))


def write(fill, **options):
    stream = io.BytesIO()
    with h5py.File(stream, "w", **options) as file:
        fill(file)
    return stream.getvalue()


def source_of(data, name="f.h5"):
    return Source(BytesBlob(data), name, Place("f"), Budget.of(len(data)))


def walked(data, name="f.h5"):
    return list(walk(source_of(data, name)))


def kinds(facts):
    return {fact.kind for fact in facts if isinstance(fact, Anomaly)}


def unread(facts):
    return [fact.reason for fact in facts if isinstance(fact, Unread)]


def imported(facts):
    return [fact.place.member for fact in facts if isinstance(fact, Import) and fact.symbol.name == "system"]
