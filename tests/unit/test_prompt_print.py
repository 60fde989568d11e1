"""How alike two prompts are, from what the store keeps of them."""

import json
import random

import pytest

from codex_control_plane_mcp.handlers.prompt_print import SIMILAR, Print, normalise

WORDS = [f"{stem}{ending}" for stem in ("shop", "order", "wing", "cargo", "date") for ending in range(200)]


def text_of(words: int, *, seed: int = 1) -> str:
    """Return a text that no other seed gives."""
    draw = random.Random(seed)  # noqa: S311 - texts for comparison, no secrets
    return " ".join(draw.choice(WORDS) for _ in range(words))


def print_of(text: str) -> Print:
    """Return a print as it comes out of the store."""
    made = Print.of(normalise(text))
    assert made is not None
    return Print.read(json.loads(json.dumps(made.as_json())))


@pytest.mark.parametrize("words", [20, 100, 130, 1000, 25_000])
def test_a_small_change_leaves_it_similar(words: int) -> None:
    """One word in twenty at one place, or a line at the end, in texts of every length."""
    text = text_of(words).split()
    changed = [*text[: words // 2], "else", *text[words // 2 + words // 25 :]]
    assert SIMILAR <= print_of(" ".join(text)).similarity(print_of(" ".join(changed))) < 1


@pytest.mark.parametrize("words", [20, 100, 130, 1000, 25_000])
def test_another_text_is_not_similar(words: int) -> None:
    """Texts of the same words in another order are other texts."""
    assert print_of(text_of(words)).similarity(print_of(text_of(words, seed=2))) == 0


def test_long_texts_are_told_apart_where_a_tenth_differs() -> None:
    """Twelve in a hundred replaced is another prompt, five in a hundred is not."""
    words = text_of(25_000).split()
    little, much = (
        words[: -len(words) * part // 100] + text_of(len(words) * part // 100, seed=3).split()
        for part in (5, 18)
    )
    whole = print_of(" ".join(words))
    assert whole.similarity(print_of(" ".join(little))) > 0
    assert whole.similarity(print_of(" ".join(much))) == 0


def test_similarity_is_the_same_from_both_sides() -> None:
    """It does not matter which one came first."""
    one, other = print_of(text_of(1000)), print_of(text_of(1000) + " else")
    assert one.similarity(other) == other.similarity(one) > 0


def test_a_text_just_over_the_limit_is_compared_with_one_just_under_it() -> None:
    """Where only one of them is kept whole, pieces decide."""
    text = text_of(200)
    one, other = print_of(text[:990]), print_of(text[:1010])
    assert (one.text is None, other.text is None) == (False, True)
    assert one.similarity(other) > 0


def test_scripts_without_blanks_have_pieces_too() -> None:
    """A text in Chinese is cut like any other."""
    draw = random.Random(1)  # noqa: S311 - a text for comparison, no secret
    text = "".join(chr(draw.randrange(0x4E00, 0x9FA5)) for _ in range(5000))
    assert print_of(text).similarity(print_of(text[:2500] + text[2600:])) > 0


def test_a_short_prompt_has_no_print() -> None:
    """Under 40 characters only the same prompt counts."""
    assert Print.of("x" * 39) is None
    assert Print.of("x" * 40) is not None


def test_the_print_of_a_long_prompt_is_small() -> None:
    """It is stored with every task."""
    assert len(json.dumps(print_of(text_of(40_000)).as_json())) < 1000
