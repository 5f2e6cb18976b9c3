"""`python -m drivers.server`: see `program`."""

import sys

from drivers.server.program import main

sys.exit(main())
