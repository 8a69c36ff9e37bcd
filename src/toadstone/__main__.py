"""``python -m toadstone``."""

import sys

from toadstone.faces.cli import main

sys.exit(main())
