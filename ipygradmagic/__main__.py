"""``python -m ipygradmagic FILE [arguments]``: run a script or a notebook and print the report."""

from __future__ import annotations

import sys

from ipygradmagic.notebook.shell import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
