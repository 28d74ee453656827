"""tinsach: label each line of a scraped Vietnamese news page and stream out the clean article.

    import tinsach
    cleaner = tinsach.load()
    article = cleaner.clean_text(page)

`tinsach` is another name of this package, which the project's card calls `classifier`. Importing it loads numpy, but not
scikit-learn, scipy or joblib.
"""

from classifier.cleaner import Cleaner, load
from classifier.core.kernel import kernel
from classifier.errors import InputError, InputWarning, ModelError, TinsachError
from classifier.labels import DEFAULT_KEEP, LABELS, Label
from classifier.lines import split_lines, split_pages
from classifier.record.article import Article
from classifier.record.paragraphs import Paragraph, Span
from classifier.results import LabelledLine, Labels
from classifier.sites.memory import SiteMemory
from classifier.sites.profile import SiteProfile
from classifier.sites.rules import SiteRules
from classifier.stream import Stream
from classifier.version import __version__ as __version__

__all__ = [
    "DEFAULT_KEEP",
    "LABELS",
    "Article",
    "Cleaner",
    "InputError",
    "InputWarning",
    "Label",
    "LabelledLine",
    "Labels",
    "ModelError",
    "Paragraph",
    "SiteMemory",
    "SiteProfile",
    "SiteRules",
    "Span",
    "Stream",
    "TinsachError",
    "kernel",
    "load",
    "split_lines",
    "split_pages",
]
