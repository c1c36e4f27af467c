"""The golden transcripts are what the environment plays today, and show what each family is about."""

import pytest

from dialog_envs.tasks.preference.persona import PreferencePrior
from tests.golden.make import FOLDER, SHOWS, read_header, shows, transcript


def test_there_is_one_for_each_family():
    families = set(PreferencePrior().families)
    assert set(SHOWS) == families == {path.stem for path in FOLDER.glob("*.txt")}


@pytest.mark.parametrize("family", SHOWS)
def test_playing_it_again_gives_the_same_words(family):
    written = (FOLDER / f"{family}.txt").read_text(encoding="utf-8")
    policy, seed = read_header(written)
    played = transcript(family, policy, seed)
    assert played == written, "run `python -m tests.golden.make --keep`, and read what has changed"


@pytest.mark.parametrize("family", SHOWS)
def test_it_shows_what_the_family_is_about(family):
    policy, seed = read_header((FOLDER / f"{family}.txt").read_text(encoding="utf-8"))
    assert policy == SHOWS[family][0]
    assert shows(family, seed), "run `python -m tests.golden.make` to look for another seed"
