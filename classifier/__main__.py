"""Entry point of `python -m classifier`, the same as the `tinsach` command."""

import sys

from classifier.cli import main

sys.exit(main())
