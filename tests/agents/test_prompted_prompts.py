"""Prompt files: five paraphrases that say the same, users' own files, and one sentence for every mistake in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialog_envs.agents.prompted import METHODS, PromptedAgent, variant_names
from dialog_envs.agents.prompted.prompts import SECTIONS, SHIPPED, load_prompts
from dialog_envs.agents.prompted.settings import sections
from dialog_envs.errors import UsageError
from dialog_envs.registration import TASKS, get_task
from tests.agents.stub_model import StubModel

LATER = {"system": {"manner": "M", "examples": "E"}, "decide": {"thoughts": "T"}, "carry": {"plan": "P"}}


def test_five_paraphrases_ship_and_each_is_whole() -> None:
    names = variant_names()
    assert len(names) == 5 and names[0] == "plain"
    for name in names:
        text = (SHIPPED / f"{name}.md").read_text("utf-8")
        assert all(f"\n# {section}\n" in text for section in SECTIONS), name
    for section in SECTIONS:
        assert len({load_prompts(variant=name).texts[section] for name in names}) == 5, section


@pytest.mark.parametrize("task", TASKS)
def test_every_paraphrase_tells_all_of_the_brief(task: str) -> None:
    brief = get_task(task).task_brief
    for name in variant_names():
        filled = load_prompts(variant=name).for_task(brief)
        system = filled.system(examples=True, written=True)
        for part in (brief.agent_role, brief.goal, *brief.advice, brief.transcript(brief.examples[0])):
            assert part in system, name
        assert "\n\n\n" not in system and "$" not in system
        texts = {section: filled.text(section, **LATER.get(section, {})) for section in SECTIONS}
        assert "P" in texts["carry"] and "T" in texts["decide"] and "Yes or No" in texts["detect"]
        assert brief.user_role in texts["user"] and brief.hidden in texts["user"]
        assert brief.outcomes[0] in texts["value"]


def test_a_method_depends_on_the_sections_that_it_uses() -> None:
    assert set().union(*(sections(method) for method in METHODS)) == set(SECTIONS)
    plain, terse = load_prompts(), load_prompts(variant="terse")
    assert len({plain.digest(sections(method)) for method in ("few-shot", "cot", "clam", "gdp-zero")}) == 4
    assert plain.digest(sections("cot")) != terse.digest(sections("cot"))


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text(
        "For tests.\n\n# system\nBe brief with the ${user}. $$1.\n${examples}\n"
    )
    agent = PromptedAgent(StubModel(), "free", method="zero-shot", prompts=str(tmp_path))
    assert agent.messages({"brief": "b", "dialogue": ()})[0]["content"] == "Be brief with the traveller. $1."
    assert "prompts mine " in agent.description
    assert load_prompts(tmp_path).texts["think"] == load_prompts().texts["think"]  # left out: as shipped
    (tmp_path / "other.md").write_text("# system\nBe kind.\n")
    assert variant_names(tmp_path) == ("mine", "other")
    assert load_prompts(tmp_path, "other").texts["system"] == "Be kind."


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("Be brief.", "have no section"),
        ("# sistem\nBe brief.", "section '# sistem'"),
        ("# system\nx\n# system\ny", "twice"),
        ("# system\nBe brief with ${whom}.", "nothing fills ${whom}"),
        ("# think\nYour plan: ${plan}", "nothing fills ${plan}"),
        ("# system\nIt costs $ 5.", "write $$"),
    ],
)
def test_mistakes_in_a_file_are_one_sentence(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "mine.md").write_text(text)
    with pytest.raises(UsageError) as caught:
        load_prompts(tmp_path)
    assert part in str(caught.value) and "mine.md" in str(caught.value) and "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no prompt files"):
        load_prompts(tmp_path)
    with pytest.raises(UsageError, match="Did you mean 'terse'"):
        load_prompts(variant="ters")
    (tmp_path / "mine.md").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot read"):
        load_prompts(tmp_path)
