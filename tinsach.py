"""The package under the name of its distribution: `import tinsach` gives all that `import classifier` gives.

PyPI has another, unrelated `classifier`, so this is the documented name. Modules inside the package keep their own names, as in
`classifier.integrations.spark`.
"""

import sys

from classifier import *  # noqa: F403
from classifier import __all__ as __all__
from classifier import __version__ as __version__

if __name__ == "__main__":  # python -m tinsach
    from classifier.cli import main

    sys.exit(main())
