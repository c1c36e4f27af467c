"""What calls cost, who pays, and a budget that stops before it is overspent."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dialog_envs.errors import BudgetExceeded, UsageError
from dialog_envs.simulators.llm import ChatReply, ChatRequest, get_chat_model
from dialog_envs.simulators.llm.budget import Budget, current_budget, handed_down, most_cost, spending
from dialog_envs.simulators.llm.ledger import Ledger, MeteredModel
from dialog_envs.simulators.llm.openai_compatible import OpenAICompatibleModel
from dialog_envs.simulators.llm.prices import TABLE, Price, parse_price, price_of
from dialog_envs.simulators.llm.purse import FilePurse
from dialog_envs.simulators.llm.replay import RecordingModel, ReplayModel
from dialog_envs.simulators.llm.wire import usage
from tests.faults.chat_server import Answer, completion, serve

PRICE = Price(1000.0, 2000.0)  # dollars for a million: 10 tokens in and 3 out cost 1.6 cents
HOSTED = "https://api.example.com/v1"


def chat(text: str = "hi", **fields: object) -> ChatRequest:
    return ChatRequest(({"role": "user", "content": text},), max_tokens=10, **fields)  # type: ignore[arg-type]


def test_the_table_that_ships_and_the_names_it_knows() -> None:
    assert price_of("gpt-4o-mini", HOSTED) == Price(0.15, 0.6, 0.075)
    assert price_of("gpt-5-mini-2025-08-07", HOSTED) == price_of("openai/gpt-5-mini", HOSTED) != None  # noqa: E711
    assert price_of("gpt-5-mini-of-my-own", HOSTED) is None
    for url in ("http://127.0.0.1:8000/v1", "http://localhost/v1", "http://10.1.2.3/v1", "http://gpu.lan/v1"):
        assert price_of("anything", url) == Price(0.0, 0.0)
    assert TABLE.read_text(encoding="utf-8").startswith("# US dollars")


def test_a_table_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "prices.toml"
    monkeypatch.setenv("DIALOG_ENVS_PRICES", str(file))
    with pytest.raises(UsageError, match="cannot read the table"):
        price_of("m", HOSTED)
    file.write_text('[models]\n"m" = {in = 1, out = 2}\n"gpt-4o" = {in = 9, out = 9}\n')
    assert price_of("m", HOSTED) == Price(1.0, 2.0)
    assert price_of("gpt-4o", HOSTED) == Price(9.0, 9.0)
    assert price_of("gpt-4o-mini", HOSTED) == Price(0.15, 0.6, 0.075)
    file.write_text('[models]\n"m" = {in = 1}\n')
    with pytest.raises(UsageError, match=r"no table of prices .* 'out'"):
        price_of("m", HOSTED)


def test_prices_in_a_models_name() -> None:
    named = get_chat_model("openai:m?base_url=https://api.example.com/v1&price=0.25/2/0.025&transport=sdk")
    assert isinstance(named, OpenAICompatibleModel) and named.price == Price(0.25, 2.0, 0.025)
    for wrong in ("1", "1/x", "-1/2", "1/2/3/4"):
        with pytest.raises(ValueError):
            parse_price(wrong)
        with pytest.raises(UsageError, match="the option price"):
            get_chat_model(f"openai:m?base_url=http://localhost/v1&price={wrong}")


def test_cost_by_tokens_cached_ones_cheaper_or_as_the_server_says() -> None:
    told = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}}
    assert usage(told, Price(2.0, 8.0, 0.5)).cost_usd == pytest.approx((600 * 2 + 400 * 0.5 + 100 * 8) / 1e6)
    assert usage({**told, "cost": 0.5}, Price(2.0, 8.0)).cost_usd == 0.5
    assert usage(told, None).cost_usd == 0.0


def test_a_budget_is_never_overspent_and_what_was_paid_is_handed_over() -> None:
    budget = Budget(0.5)
    with serve(lambda *_: Answer(delay=0.01)) as server:
        model = OpenAICompatibleModel("m", base_url=server.url, price=PRICE, budget=budget, max_in_flight=8)
        results = dict(model.each([chat(str(i)) for i in range(60)]))
    good = [result for result in results.values() if isinstance(result, ChatReply)]
    stopped = [result for result in results.values() if isinstance(result, BudgetExceeded)]
    assert len(good) + len(stopped) == 60 and len(good) == len(server.requests)
    assert budget.spent == pytest.approx(0.016 * len(good)) and budget.spent <= 0.5
    assert budget.spent > 0.4, "it stops in time, not long before"
    assert "--max-cost" in str(stopped[0]) and "$0.5" in str(stopped[0])


def test_a_budget_for_whoever_calls(tmp_path: Path) -> None:
    with serve(lambda *_: Answer()) as server:
        model = OpenAICompatibleModel("m", base_url=server.url, price=PRICE)
        with spending(Budget(0.06)) as budget:
            assert current_budget() is budget
            model.complete([chat()])
            with pytest.raises(BudgetExceeded):
                model.complete([chat("x" * 4000)])
        assert current_budget() is None
        model.complete([chat("x" * 4000)])
    assert len(server.requests) == 2


def test_processes_share_a_budget_by_its_file(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dialog_envs.simulators.llm.purse import FilePurse\n"
        "q = FilePurse(Path(sys.argv[1]))\n"
        "print([q.take(0.4, 1.0) for _ in range(3)]); q.add(0.5)"
    )
    file = tmp_path / "spent.sqlite"
    budget = Budget(1.0, file=file)
    budget.add(0.1)
    ran = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['taken', 'taken', 'later']"
    assert budget.spent == pytest.approx(0.6)
    again = FilePurse(file)  # the process is gone, and what it had set aside is free
    assert [again.take(0.3, 1.0), again.take(0.3, 1.0), again.take(0.5, 1.0)] == ["taken", "later", "never"]
    with pytest.raises(UsageError, match="cannot count"):
        Budget(1.0, file=tmp_path)


def test_processes_that_are_started_keep_to_the_same_budget(tmp_path: Path) -> None:
    code = (
        "from dialog_envs.simulators.llm.budget import current_budget; b = current_budget(); b.add(0.25);"
        "print(b.limit, b.spent)"
    )
    with handed_down(2.5, tmp_path / "purse"):
        told = [subprocess.check_output([sys.executable, "-c", code], text=True).split() for _ in range(2)]
    assert told == [["2.5", "0.25"], ["2.5", "0.5"]]
    assert current_budget() is None and Budget(1.0, file=tmp_path / "purse").spent == 0.5


def test_an_unknown_price_cannot_be_limited() -> None:
    model = get_chat_model("openai:m?base_url=https://api.example.com/v1")
    with (
        spending(Budget(1.0)),
        pytest.raises(UsageError, match=r"price of m at https.* is unknown.*price=IN/OUT"),
    ):
        model.complete([chat()])
    with pytest.raises(UsageError, match="amount"):
        Budget(-1.0)


def test_the_estimate_is_above_what_text_takes() -> None:
    """Two bytes a token and room for each message: the embedded model's tokenizer takes half of that for prose."""
    text = "I would rather go somewhere quiet where one can sit down. " * 20
    assert most_cost(chat(text), Price(1e6, 0.0)) > len(text) / 2


def test_replies_that_were_no_use_are_paid_too() -> None:
    bodies = [completion("  "), completion("ok")]
    budget = Budget(1.0)
    with serve(lambda number, _: Answer(body=bodies[number])) as server:
        model = OpenAICompatibleModel("m", base_url=server.url, price=PRICE, budget=budget)
        (reply,) = model.complete([chat()])
    assert reply.cost_usd == pytest.approx(0.032) == budget.spent


def test_who_used_how_much(tmp_path: Path) -> None:
    def run(model: MeteredModel) -> Ledger:
        model.complete([chat("a", role="agent", episode="1"), chat("b", role="user", episode="1")])
        model.complete([chat("c", role="judge", episode="2"), chat("d", role="user", episode="2")])
        return model.ledger

    with serve(lambda *_: Answer()) as server:
        asked = OpenAICompatibleModel("m", base_url=server.url, price=PRICE)
        recording = RecordingModel(tmp_path / "f", asked)
        ledger = run(MeteredModel(recording, Ledger()))
    assert ledger.total.cost_usd == pytest.approx(0.064) and ledger.total.tokens_in == 40
    assert {role: use.tokens_in for role, use in ledger.roles().items()} == {
        "agent": 10,
        "judge": 10,
        "user": 20,
    }
    assert list(ledger.roles("2")) == ["judge", "user"] and set(ledger.episodes()) == {"1", "2"}
    replayed = run(MeteredModel(ReplayModel(tmp_path / "f"), Ledger()))
    assert replayed.roles() == ledger.roles(), "a replayed run's figures equal the recorded run's"


def test_a_ledger_is_kept_by_many_threads() -> None:
    ledger = Ledger()
    reply = ChatReply("", usage({"prompt_tokens": 1}, None), "stop", "m")
    threads = [
        threading.Thread(target=lambda: [ledger.add("e", "user", reply.usage) for _ in range(500)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.total.tokens_in == 2000
