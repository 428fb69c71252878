"""`python -m polylens` does what the command `polylens` does."""

import sys

from polylens.cli import main

if __name__ == "__main__":
    sys.exit(main())
