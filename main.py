"""Start hcr_live: `python main.py --help`."""

import sys

from hcr_live.cli import main

if __name__ == "__main__":
    sys.exit(main())
