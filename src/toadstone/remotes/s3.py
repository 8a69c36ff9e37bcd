"""``s3://`` addresses: an object, or all objects below a prefix. `botocore` signs; the requests are our own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus, urlsplit
from xml.parsers import expat

from toadstone.core.blob import Blob
from toadstone.core.errors import UsageError
from toadstone.core.finding import Json
from toadstone.remotes.client import Answer, Client, origin
from toadstone.remotes.files import RemoteFile, believable
from toadstone.remotes.ranges import Remote
from toadstone.remotes.trouble import PassingError, RemoteError, StatusError, plain

_VALID = 3600
"""Seconds for which a signed address is good; each request gets a new one."""


class Bucket:
    """What an ``s3://`` TARGET names.

    Credentials, region and endpoint are those of the AWS command line (``AWS_PROFILE``, ``AWS_ENDPOINT_URL``, ...); without
    credentials the requests are not signed, which is enough for public buckets.

    Args:
        client: Makes the requests.
        target: As typed.

    Raises:
        UsageError: If it names no bucket, or the extra is not installed.
    """

    def __init__(self, client: Client, target: str) -> None:
        self._client = client
        self._target = target
        bucket, _, self._key = target.removeprefix("s3://").partition("/")
        if not bucket or not bucket.replace("-", "").replace(".", "").replace("_", "").isalnum():
            raise UsageError(f"{target!r} names no bucket.", "The form is s3://bucket/key or s3://bucket/prefix.")
        self._bucket = bucket
        self._signer = _signer(bucket)
        _, host, port = origin(urlsplit(self._signed("get_object", Key="x")))
        client.reach.name(host, port)
        self._files: dict[str, RemoteFile] = {}

    def _signed(self, operation: str, **parameters: str) -> str:
        signed: str = self._signer.generate_presigned_url(
            operation, Params={"Bucket": self._bucket, **parameters}, ExpiresIn=_VALID, HttpMethod="GET"
        )
        return signed

    def files(self) -> Iterator[RemoteFile]:
        """List the object of that key, or the objects below that prefix.

        Raises:
            RemoteError: If the store does not give what it should.
        """
        try:
            objects = list(self._objects())
        except StatusError as error:
            raise RemoteError(f"bucket {self._bucket}: {_helpful(error)}") from None
        exact = [found for found in objects if found["Key"] == self._key]
        folder = self._key if not self._key or self._key.endswith("/") else f"{self._key}/"
        below = [found for found in objects if found["Key"].startswith(folder) and not found["Key"].endswith("/")]
        if not exact and not below:
            raise RemoteError(f"bucket {self._bucket} has nothing at {plain(self._key)!r}")
        for found in exact if exact and not self._key.endswith("/") else below:
            file = self._file(found, folder)
            self._files[found["Key"]] = file
        yield from self._files.values()

    def _objects(self) -> Iterator[dict[str, str]]:
        limits = self._client.limits
        more: dict[str, str] = {}
        seen: set[str] = set()
        count = 0
        while True:
            page, following = self._page(self._signed("list_objects_v2", Prefix=self._key, **more))
            for found in page:
                count += 1
                if count > limits.entries:
                    raise RemoteError(f"the bucket has more than {limits.entries:,} objects there")
                yield found
            if not following:
                return
            if following in seen or len(seen) >= limits.pages:
                raise RemoteError("the listing of the bucket does not end")
            seen.add(following)
            more = {"ContinuationToken": following}

    def _page(self, url: str) -> tuple[list[dict[str, str]], str]:
        most = self._client.limits.listing

        def consume(answer: Answer) -> bytes:
            data = self._client.took(answer.read(most + 1))
            if len(data) > most:
                raise RemoteError(f"the store's answer is longer than {most:,} bytes")
            if answer.length > len(data):
                raise PassingError("the store's answer is cut short")
            return data

        return listing(self._client.exchange(url, consume))

    def _file(self, found: dict[str, str], folder: str) -> RemoteFile:
        key = found["Key"]
        inner = key.removeprefix(folder) if key != self._key else ""
        shown = f"{self._target.rstrip('/')}/{plain(inner, 1024)}" if inner else self._target
        name = key.rpartition("/")[2]
        wrong = believable(key)
        size = found.get("Size", "")
        if not size.isascii() or not size.isdigit() or len(size) > 18:
            wrong = wrong or "it has no size"
        if wrong:
            return RemoteFile(shown, name, trouble=f"the bucket lists {plain(key)!r}: {wrong}")
        etag = found.get("ETag", "")
        headers = {"If-Match": etag} if etag and etag.isascii() and etag.isprintable() else {}
        remote = Remote(self._client, lambda: self._signed("get_object", Key=key), int(size), headers=headers)
        told: dict[str, Json] = {"url": f"s3://{self._bucket}/{key}", "etag": etag}
        above = key.rpartition("/")[0]
        return RemoteFile(shown, name, "the bucket", remote, origin=told, sibling=lambda name: self._beside(above, name))

    def _beside(self, folder: str, name: str) -> Blob | None:
        file = self._files.get(f"{folder}/{name}" if folder else name)
        return file.open() if file is not None and file.remote is not None else None


def _signer(bucket: str) -> Any:  # noqa: ANN401  (botocore has no types)
    try:
        import botocore.session  # noqa: PLC0415  (optional, slow)
        from botocore import UNSIGNED  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    except ImportError:
        raise UsageError("s3:// needs the extra `s3`.", "pip install 'toadstone[s3]'") from None
    try:
        session = botocore.session.get_session()
        settings = Config(signature_version="s3v4") if session.get_credentials() else Config(signature_version=UNSIGNED)
        return session.create_client("s3", config=settings)
    except (BotoCoreError, ValueError) as error:
        raise UsageError(f"s3://{bucket} cannot be asked for: {error}") from None


class _Listing:
    """Takes one page of ``ListObjectsV2`` apart, element by element."""

    def __init__(self) -> None:
        self.objects: list[dict[str, str]] = []
        self.top: dict[str, str] = {}
        self._path: list[str] = []
        self._text: list[str] = []

    def parse(self, data: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler, parser.EndElementHandler = self._begun, self._ended
        parser.CharacterDataHandler = self._text.append
        parser.EntityDeclHandler = parser.StartDoctypeDeclHandler = self._refused
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise RemoteError(f"the store's listing is no XML: {plain(str(error))}") from None

    def _begun(self, name: str, _attributes: object) -> None:
        self._path.append(name.rpartition(" ")[2])
        self._text.clear()
        if self._path[1:] == ["Contents"]:
            self.objects.append({})
        if len(self._path) > 8:
            raise RemoteError("the store's listing is no listing")

    def _ended(self, _name: str) -> None:
        path = self._path
        if len(path) == 2:
            self.top[path[1]] = "".join(self._text)
        elif len(path) == 3 and path[1] == "Contents":
            self.objects[-1][path[2]] = "".join(self._text)
        path.pop()
        self._text.clear()

    def _refused(self, *_declaration: object) -> None:
        raise RemoteError("the store's listing declares entities; it was not read")


def listing(data: bytes) -> tuple[list[dict[str, str]], str]:
    """Read one page of ``ListObjectsV2``.

    Entities are refused, so the document cannot grow while it is read.

    Returns:
        The objects with their ``Key``, ``Size`` and ``ETag``, and the token of the next page (empty on the last).

    Raises:
        RemoteError: If it is no such page.
    """
    page = _Listing()
    page.parse(data)
    objects, top = page.objects, page.top
    following = top.get("NextContinuationToken", "") if top.get("IsTruncated") == "true" else ""
    if any("Key" not in found for found in objects) or ("Name" not in top and "KeyCount" not in top):
        raise RemoteError("the store's listing is no listing")
    if top.get("EncodingType") == "url":
        objects = [{**found, "Key": unquote_plus(found["Key"])} for found in objects]
    return objects, following


def _helpful(error: StatusError) -> str:
    if error.status == 301:
        return f"{error}; it lies in another region: set AWS_REGION"
    if error.status == 404:
        return f"{error}; there is no such bucket"
    return f"{error}; look at your credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID)" if error.status in (401, 403) else str(error)
