"""Model card: what the model is, how good it is and where it fails. Every number comes from the run that made the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.scoring.confidence import agreement, confidence_table
from training.scoring.left_out import left_out_section
from training.scoring.scores import Scores

__all__ = ["write_card"]

CARD = """# Model card: vi-news

Labels each line of a Vietnamese news page with one of twelve roles. Three small sets of weights: TF-IDF and logistic regression over
the line alone (the first guess), a one-layer network over what surrounds it, and a second one over what the first network made of
the line, of its neighbours and of the page so far, which decides. No code in the file, nothing pickled.

| | |
|---|---|
| version | {version} (format {format_version}) |
| arrays | SHA-256 `{arrays_sha256}` |
| n-grams | {vocabulary_size} hashed syllable 1-2-grams |
| hidden units | {hidden_size} and {stacked_hidden_size} |
| look-ahead | {lookahead} lines |
| temperature | {temperature} |
| training lines | {training_lines}, of which {real_lines} of real pages; data SHA-256 `{training_data_sha256}` |
| seed | {seed} |

## Training data
All text was written for this project: articles and phrase banks in `training/corpus/`. No page of any publisher was copied. What was
taken from real pages is form: the order of blocks, lengths, markup, where blank lines fall (`training/layouts/`), and per line its
label and the numbers that the model sees of it (`training/measured/`). Neither holds words.
{retrained}
## Figures on held-out composed pages
Articles, phrases and layouts that training has not seen, in hard and strange combinations. Figures on real pages are in the README.

| article F1 | strict F1 | line F1 | macro F1 | calibration error |
|---|---|---|---|---|
| {article_f1:.3f} | {strict_f1:.3f} | {line_f1:.3f} | {macro_f1:.3f} | {ece:.3f} |

| style | pages | article F1 | line F1 | macro F1 | calibration error |
|---|---:|---:|---:|---:|---:|
{style_rows}

| label | precision | recall | F1 | lines |
|---|---:|---:|---:|---:|
{label_rows}

Reliability of the keep probability (a line said to be kept with probability p should be an article line in a share p of cases):

| said | true | lines |
|---:|---:|---:|
{reliability_rows}

Confidence of a page, the article F1 to expect; its coefficients are fitted on these pages.
{confidence_table}
{left_out}
## Known failures
- Photo stories whose picture texts are the article, and captions that are whole sentences: caption and body are one thing there.
- Teaser leads right after the article and in its tone, without any heading, and teasers that are wrapped inside text nodes.
- Long, well-written reader comments, and advertisements written as articles; paragraphs between comments are taken for comments.
- See-also lines between all paragraphs of a short article: the paragraphs behind them look like teaser leads.
- Newsletter calls in whole sentences between paragraphs; scripts left in the text.
- Verses, lottery tables and death notices of a cell or a few words a line, and headlines of two words behind a menu.
- A whole article in one line of thousands of characters, as converters print the cell of a table-based page.
- Pages of fewer than about five article lines among hundreds of menu lines.
- Paragraphs cut at their links into pieces of a few words; entities that were encoded twice; kickers before a short headline.
- Captions left by embedded posts, and imprints in other languages.
- Text that is not Vietnamese, or not news, was not tested; headings and imprints in Khmer are kept.
"""

RETRAINED = """
## Retrained
Fine-tuned from the model with arrays SHA-256 `{from_arrays_sha256}`, on the text above and {pages} labelled pages (SHA-256
`{pages_sha256}`) that are not in the repository: {copies} copies of each, and {composed} pages of corpus text in its layout.
"""


def write_card(manifest: dict[str, Any], scores: Scores, by_style: dict[str, Scores], folder: Path) -> None:
    """Write MODEL_CARD.md beside the model."""
    labels = "\n".join(
        f"| {label} | {precision:.3f} | {recall:.3f} | {score:.3f} | {lines} |"
        for label, (precision, recall, score, lines) in scores.labels().items()
    )
    styles = "\n".join(
        f"| {style} | {len(part.pages)} | {part.article:.3f} | {part.line:.3f} | {part.macro:.3f} | {part.ece:.3f} |"
        for style, part in by_style.items()
    )
    reliability = "\n".join(f"| {predicted:.3f} | {actual:.3f} | {count} |" for predicted, actual, count in scores.reliability)
    confidence = confidence_table(agreement(scores.pages))
    rows = {"style_rows": styles, "label_rows": labels, "reliability_rows": reliability, "confidence_table": confidence}
    retrained = RETRAINED.format(**manifest["retrained"]) if "retrained" in manifest else ""
    left_out = "" if retrained else left_out_section(manifest["training_data_sha256"])
    card = CARD.format(**manifest | {"retrained": retrained, "left_out": left_out}, **manifest["scores"], **rows)
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
