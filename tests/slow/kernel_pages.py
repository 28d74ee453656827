"""Comparison of the compiled kernel with numpy on a folder of gold pages: `python -m tests.slow.kernel_pages PAGES`.

Every call of the public API, chunking, site rules, a site memory that judges and one that learns, and records. Each call of a twin is
compared with its reference, to the bit.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

import classifier
from classifier.cleaner import Cleaner
from classifier.sites.rule import EVERY_SITE
from classifier.sites.rules import SiteRules
from tests.fuzz.contract import all_calls_agree, labelled, memory_is_the_same_in_a_stream
from tests.fuzz.run import RULES
from tests.support.kernel import compared
from training.scoring.gold import read_gold

__all__ = ["main"]


def compare(cleaner: Cleaner, pages: Sequence[str], random: Random) -> None:
    """Run every call, in the block sizes and chunks that `random` chooses, on pages of one site."""
    all_calls_agree(cleaner, pages, random)
    ruled = Cleaner(cleaner.model, threshold=0.3, rules=SiteRules({EVERY_SITE: RULES}))
    labelled(ruled, pages)
    memory = classifier.SiteMemory(2)
    labelled(ruled.remembering(memory), pages)
    labelled(cleaner.remembering(memory, learn=False), pages)
    memory_is_the_same_in_a_stream(cleaner, pages)
    list(cleaner.articles(pages))


def main(argv: list[str] | None = None) -> int:
    """Compare on all pages below a folder, style by style and publisher by publisher."""
    (folder,) = sys.argv[1:] if argv is None else argv
    cleaner, random = classifier.load(), Random(18)
    with compared() as calls:
        for style, pages in read_gold(Path(folder)).items():
            for publisher in dict.fromkeys(page.publisher for page in pages):
                compare(cleaner, ["\n".join(page.lines) for page in pages if page.publisher == publisher], random)
            print(f"{style}: {len(pages)} pages, {sum(len(page.lines) for page in pages)} lines, the same bits", flush=True)
    print(f"{sum(calls.values())} calls of {len(calls)} twins compared")
    return 0


if __name__ == "__main__":
    sys.exit(main())
