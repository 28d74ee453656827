"""Static cost bound for regexes: an upper bound on the backtracking steps over the worst possible line, from the parse tree.

`re` explores every way each part can match, and for each of them every way of the rest, so the counts of parts in sequence
multiply, those of alternatives add up, and those of a repeated part multiply with themselves. Most patterns take far fewer steps.
Constructs without such a bound are refused: backreferences, lookarounds and conditionals.

Mutually exclusive ways are counted once where adjacent parts prove it: alternatives that begin with different letters; repeats of
characters none of which can be the letter that follows (`\\d+ bình`); a literal word after a repeat, which occurs at most as often
as it fits into the line (`.*bình luận`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from classifier.errors import InputError

__all__ = ["MOST_STEPS", "SEEN_CHARS", "require_cheap", "steps_of"]

SEEN_CHARS = 1000  # of a line: the buttons, headings and credits that rules are about are far shorter
MOST_STEPS = 2_000_000  # the slowest of 30,000 random patterns below it took 0.025 s on one line (docs/SITES.md)
_REMAINDERS = 10  # an unanchored search starts at every position; the remaining length is rounded up to tenths of the line
_FAR_TOO_MANY = 1e30

_ONE_CHARACTER = ("LITERAL", "NOT_LITERAL", "IN", "ANY")
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_NO_BOUND = {"GROUPREF": "backreferences", "GROUPREF_EXISTS": "conditions"}  # any other operator is a lookaround, or an empty one
_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d", "CATEGORY_NOT_DIGIT": r"\D", "CATEGORY_SPACE": r"\s", "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w", "CATEGORY_NOT_WORD": r"\W",
}  # fmt: skip

_Items = Sequence[tuple[Any, Any]]  # a sequence in the parse tree: operator and operand of each part


def require_cheap(regex: str) -> None:
    """Refuse a regex that is invalid, or could take more than MOST_STEPS steps on a line of SEEN_CHARS characters.

    Raises:
        InputError: it is refused; the message says what to write instead.

    >>> require_cheap(r"^\\d+ bình luận$")
    >>> require_cheap(r"(a+)+$")
    Traceback (most recent call last):
    classifier.errors.InputError: could try more than 2,000,000 ways to match a hostile line; begin it with ^, write {0,20} instead ...
    """
    steps = steps_of(regex)
    if steps > MOST_STEPS:
        raise InputError(
            f"could try more than {MOST_STEPS:,} ways to match a hostile line; begin it with ^, write {{0,20}} instead of * or +, "
            "and do not nest repeats"
        )


def steps_of(regex: str) -> float:
    """Return an upper bound on the steps of a search in a line of SEEN_CHARS characters.

    Raises:
        InputError: the regex is invalid, or uses a construct without a bound.
    """
    try:
        re.compile(regex)
        tree = _parsed(regex)
        if _is_anchored(tree, tree.state.flags):
            return SEEN_CHARS + _sequence(tree, SEEN_CHARS)[1]
        word = _unbordered_length([av for op, av in takewhile(lambda item: str(item[0]) == "LITERAL", tree)])
        starts = SEEN_CHARS / _REMAINDERS / max(word, 1)  # per tenth, at most: the leading word cannot begin more often
        tenths = (_sequence(tree, SEEN_CHARS * tenth // _REMAINDERS)[1] for tenth in range(1, _REMAINDERS + 1))
        return SEEN_CHARS * (word + 1) + starts * sum(tenths)
    except (re.error, OverflowError) as error:
        raise InputError(f"is invalid ({error}); see Python's re, and write \\ before characters that are meant literally") from error
    except RecursionError as error:
        raise InputError("is nested too deeply; split it into several rules") from error


def _parsed(regex: str) -> Any:
    try:
        from re import _parser as parser  # type: ignore[attr-defined]
    except ImportError:  # Python 3.10
        import sre_parse as parser
    return parser.parse(regex)


def _is_anchored(items: _Items, flags: int) -> bool:
    """Return whether every match begins at the start of the line."""
    for op, av in items:
        name = str(op)
        if name == "AT":
            return str(av) == "AT_BEGINNING_STRING" or (str(av) == "AT_BEGINNING" and not flags & re.MULTILINE)
        if name == "SUBPATTERN":
            return _is_anchored(av[3], flags | av[1])
        return name == "BRANCH" and all(_is_anchored(branch, flags) for branch in av[1])
    return False


def _sequence(items: _Items, left: int) -> tuple[float, float]:
    """Return in how many ways a sequence can match at one position with `left` characters remaining, and the steps to try them all."""
    ways, steps = 1.0, 0.0
    spread, places, before = 1.0, 1.0, None  # of the preceding repeat: its ways, those still possible, its character set
    word: list[int] = []  # the literal letters after it
    for op, av in items:
        own_ways, own_steps = _part(str(op), av, left)
        steps = min(steps + ways * own_steps, _FAR_TOO_MANY)
        if str(op) == "LITERAL" and before is not None:
            word.append(av)
            ways /= places
            places = 1.0 if _excludes(before, word[0]) else min(spread, left // _unbordered_length(word) + 1.0)
            ways *= places
        else:
            ways = min(ways * own_ways, _FAR_TOO_MANY)
            before = av[2][0] if str(op) in _REPEATS and len(av[2]) == 1 and str(av[2][0][0]) in _ONE_CHARACTER else None
            spread = places = own_ways
            word = []
    return ways, steps


def _part(name: str, av: Any, left: int) -> tuple[float, float]:
    """Return the ways and steps of one part; see `_sequence`."""
    if name in _ONE_CHARACTER or name == "AT":
        return 1.0, 1.0
    if name == "SUBPATTERN":
        return _sequence(av[3], left)
    if name == "ATOMIC_GROUP":
        return 1.0, _sequence(av, left)[1]
    if name == "BRANCH":
        ways, steps = zip(*(_sequence(branch, left) for branch in av[1]))
        return max(ways) if _exclusive(av[1]) else sum(ways), sum(steps) + len(steps)
    if name in _REPEATS:
        least, most, items = av
        return _repeat(name, (int(least), int(most)), items, left)
    raise InputError(f"uses {_NO_BOUND.get(name, 'lookarounds')}, whose cost has no bound; write several rules without them")


def _repeat(name: str, bounds: tuple[int, int], items: Any, left: int) -> tuple[float, float]:
    own_ways, own_steps = _sequence(items, left)
    least, most = bounds[0], max(bounds[0], min(bounds[1], left // max(1, items.getwidth()[0])))
    ways, steps, power = 0.0, 0.0, 1.0
    if own_ways <= 1:
        ways, steps = most - least + 1.0, most * own_steps
    else:
        for count in range(most + 1):
            ways += power if count >= least else 0
            steps += power * own_steps
            power *= own_ways
            if power > _FAR_TOO_MANY:
                return _FAR_TOO_MANY, _FAR_TOO_MANY
    return (1.0 if name == "POSSESSIVE_REPEAT" else ways), steps + ways


def _exclusive(branches: Sequence[_Items]) -> bool:
    """Return whether alternatives begin with different letters, so that at most one of them matches at any position."""
    if not all(len(branch) and str(branch[0][0]) == "LITERAL" for branch in branches):
        return False
    return len({_folded(branch[0][1]) for branch in branches}) == len(branches)


def _folded(code: int) -> str:
    """Return a key that is equal for all letters that may match each other case-insensitively."""
    return "i" if code == 0x131 else chr(code).casefold()[0]  # `re.I` matches ı with i, which case folding keeps apart


def _unbordered_length(codes: Sequence[int]) -> int:
    """Return the length of the longest unbordered prefix of a word (occurrences of it never overlap); 0 for the empty word."""
    word = [*map(_folded, codes)]
    return max((n for n in range(1, len(word) + 1) if not any(word[:k] == word[n - k : n] for k in range(1, n))), default=0)


def _excludes(repeated: tuple[Any, Any], letter: int) -> bool:
    """Return whether the repeated character set excludes this letter, in either case."""
    op, av = repeated
    return not _holds(op, av, letter) and (not _is_cased(letter) or _is_letterless(op, av))


def _holds(op: Any, av: Any, letter: int) -> bool:
    """Return whether a character set holds a letter, with or without the ASCII flag."""
    name = str(op)
    if name == "IN":
        negated = bool(av) and str(av[0][0]) == "NEGATE"
        return any(_holds(kind, value, letter) for kind, value in av[negated:]) != negated
    if name == "RANGE":
        return av[0] <= letter <= av[1]
    if name == "CATEGORY":
        pattern = _CATEGORIES[str(av)]
        return any(re.match(flag + pattern, chr(letter)) for flag in ("", "(?a)"))
    return name == "ANY" or (av == letter) == (name == "LITERAL")


def _is_letterless(op: Any, av: Any) -> bool:
    """Return whether a character set provably holds no cased letter."""
    name = str(op)
    if name == "IN":
        return all(_is_letterless(kind, value) for kind, value in av)
    if name == "RANGE":
        return av[1] < ord("A") or ord("Z") < av[0] <= av[1] < ord("a")
    return str(av) in ("CATEGORY_DIGIT", "CATEGORY_SPACE") if name == "CATEGORY" else name == "LITERAL" and not _is_cased(av)


def _is_cased(code: int) -> bool:
    return chr(code).lower() != chr(code).upper()
