"""Makes the parts of this folder importable."""

import sys
from pathlib import Path

# Test files are imported without their folder on the path.
sys.path.insert(0, str(Path(__file__).parent))
