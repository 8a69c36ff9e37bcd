"""Data sets wherever they lie; network code is loaded only for addresses."""

from __future__ import annotations

from toadstone.engine.progress import Progress
from toadstone.remotes.access import Access
from toadstone.tables.dataset import Dataset
from toadstone.tables.open import open_dataset


def is_remote(target: object) -> bool:
    """Whether a target is an address."""
    return isinstance(target, str) and "://" in target


def shown(target: str) -> str:
    """Give an address as it may be shown: without what is secret in it."""
    if not target.lower().startswith(("http://", "https://")):
        return target
    from toadstone.remotes.web import without_secrets  # noqa: PLC0415  (network code)

    return without_secrets(target)


def open_data(
    target: object, access: Access | None = None, progress: Progress | None = None, *, bounded: bool = False
) -> Dataset:
    """Open a data set.

    Args:
        target: What `toadstone.tables.open.open_dataset` takes, or the address of a file, or of a folder of files: ``s3://``,
            ``hf://``, ``https://``. What lies on a server is fetched whole into a private folder.
        access: How servers are read.
        progress: Called with ``fetching``, the megabytes that came, and all of them.
        bounded: Whether a local file has an allowance, see `toadstone.tables.allowance`.

    Raises:
        UsageError: It is no data set, or no address.
        UnreadError: A server does not give what it should.
    """
    if not isinstance(target, str) or not is_remote(target):
        return open_dataset(target, bounded=bounded)
    from toadstone.verbs.remote_data import fetched  # noqa: PLC0415  (as above)

    return fetched(target, shown(target), access, progress)
