"""The golden transcripts are what the environments play today, and show what each family is about."""

import pytest

from dialog_envs.registration import TASKS, get_task
from tests.golden.make import SHOWS, path, read_header, shows, transcript

FAMILIES = [(task, family) for task, families in SHOWS.items() for family in families]


@pytest.mark.parametrize("task", list(TASKS))
def test_there_is_one_for_each_family(task):
    families = set(get_task(task).prior.families)
    folder = path(task, "any").parent
    assert set(SHOWS[task]) == families == {file.stem for file in folder.glob("*.txt")}


@pytest.mark.parametrize(("task", "family"), FAMILIES)
def test_playing_it_again_gives_the_same_words(task, family):
    written = path(task, family).read_text(encoding="utf-8")
    policy, seed = read_header(written)
    played = transcript(task, family, policy, seed)
    assert played == written, "run `python -m tests.golden.make --keep`, and read what has changed"


@pytest.mark.parametrize(("task", "family"), FAMILIES)
def test_it_shows_what_the_family_is_about(task, family):
    policy, seed = read_header(path(task, family).read_text(encoding="utf-8"))
    assert policy == SHOWS[task][family][0]
    assert shows(task, family, seed), "run `python -m tests.golden.make` to look for another seed"
