"""Lets the tests of this folder share `real_prometheus`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # tests are no packages
