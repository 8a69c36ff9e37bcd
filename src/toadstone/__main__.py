"""``python -m toadstone``."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # the working folder, where untrusted models lie: nothing in it may be imported under a known name

from toadstone.faces.cli import entry

sys.exit(entry())
