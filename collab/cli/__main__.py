"""`python -m collab.cli` is `collab`."""

import sys

from collab.cli import main

sys.exit(main())
