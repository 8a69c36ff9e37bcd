"""PaddlePaddle: state dictionaries, programs in both forms, combined parameters."""

from __future__ import annotations

import paddle

from benchmarks.corpus.benign.workshop import SEED, Shelf


def networks(shelf: Shelf) -> None:
    """A small network in every form."""
    paddle.seed(SEED)
    network = paddle.nn.Sequential(paddle.nn.Linear(4, 3), paddle.nn.ReLU(), paddle.nn.Linear(3, 2))
    optimizer = paddle.optimizer.Adam(parameters=network.parameters())
    network(paddle.ones([2, 4])).mean().backward()
    optimizer.step()
    paddle.save(network.state_dict(), str(shelf.put("net.pdparams", library="paddle", subject="net", technique="pdparams")))
    paddle.save(optimizer.state_dict(), str(shelf.put("net.pdopt", library="paddle", subject="net", technique="pdopt")))
    entry = [paddle.static.InputSpec([None, 4], "float32")]
    folder = shelf.put("program", library="paddle", subject="net", technique="paddle-pir")
    paddle.jit.save(network, str(folder / "inference"), input_spec=entry)


def older_programs(shelf: Shelf) -> None:
    """A program in the older binary form."""
    paddle.enable_static()
    with paddle.pir_utils.OldIrGuard():
        program = paddle.static.Program()
        with paddle.static.program_guard(program):
            entry = paddle.static.data("x", [2, 4], "float32")
            paddle.nn.functional.softmax(paddle.nn.functional.relu(entry) * 2.0)
        path = shelf.put("relu.pdmodel", library="paddle", subject="relu", technique="paddle-program")
        path.write_bytes(program.desc.serialize_to_string())
