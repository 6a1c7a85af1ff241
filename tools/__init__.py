"""Tools of those who develop and operate brokerlink; nothing here runs in Lambda."""

import sys
from pathlib import Path

# Import roots, as in Lambda: the library that comes as a layer, and the function that announces.
sys.path[:0] = [str(Path(__file__).parent.parent / each) for each in ("layers", "functions/announce")]
