"""`python -m classifier` is `tinsach`."""

import sys

from classifier.cli import main

sys.exit(main())
