"""Arrow's compute functions, which pyarrow makes when it is imported, so that type checkers cannot know them."""

from __future__ import annotations

from typing import Any

import pyarrow.compute

compute: Any = pyarrow.compute
