"""A project with its history in place is complete; a payload under Git's names is not."""

from __future__ import annotations

import hashlib
import pickle
import zlib

from toadstone.core.fact import Import, Unread


def test_a_file_that_git_wrote_is_inert(read):
    body = b"DIRC" + (2).to_bytes(4, "big") + bytes(4)
    source, facts = read(body + hashlib.sha1(body).digest(), "index")
    assert (source.notes["kind"], facts) == ("git", [])


def test_a_file_that_only_begins_like_one_is_unread(read):
    _, facts = read(b"PACK" + (2).to_bytes(4, "big") + bytes(60) + b"payload", "pack-1.pack")
    assert any(isinstance(fact, Unread) for fact in facts)


def test_a_loose_blob_is_read_as_what_it_is(read):
    content = pickle.dumps(print)
    _, facts = read(zlib.compress(b"blob %d\0" % len(content) + content), "1f0a")
    assert [str(fact.symbol) for fact in facts if isinstance(fact, Import)] == ["builtins.print"]


def test_a_loose_tree_and_commit_are_inert(read):
    for kind, content in ((b"tree", b"100644 a\0" + bytes(20)), (b"commit", b"tree 00\n\nmessage\n")):
        _, facts = read(zlib.compress(kind + b" %d\0" % len(content) + content), "ab")
        assert facts == []
