"""The scanner: finds what should never have been written down, in text that it knows nothing about.

It judges recordings after the scrubber, and so shares neither code nor lists with it (`tests/house/test_layers.py`).
"""

from contract_test.scanner.leaks import Leak, leaks_in_line, leaks_in_text

__all__ = ["Leak", "leaks_in_line", "leaks_in_text"]
