"""tinsach: labels each line of a scraped Vietnamese news page and streams out the clean article.

    import classifier
    cleaner = classifier.load()
    article = cleaner.clean_text(page)

Importing this loads numpy, and neither scikit-learn, scipy nor joblib.
"""

from classifier.cleaner import Cleaner, Labels, load
from classifier.errors import InputError, ModelError, TinsachError
from classifier.labels import DEFAULT_KEEP, LABELS, Label
from classifier.site_memory import SiteMemory
from classifier.site_rules import SiteRules
from classifier.stream import LabelledLine, Stream

__version__ = "0.1.0"

__all__ = [
    "DEFAULT_KEEP",
    "LABELS",
    "Cleaner",
    "InputError",
    "Label",
    "LabelledLine",
    "Labels",
    "ModelError",
    "SiteMemory",
    "SiteRules",
    "Stream",
    "TinsachError",
    "load",
]
