"use strict";
// Sorting of tables, and the reader of dialogues. Text from the data enters the page as text only.

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") !== "descending";
    heads.forEach((other) => other.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows];
    const key = (row) => row.cells[column].dataset.sort ?? "";
    const compare = (a, b) => column === 0 ? b.localeCompare(a) : Number(a) - Number(b);
    rows.sort((a, b) => (down ? -1 : 1) * compare(key(a), key(b)));
    table.tBodies[0].append(...rows);
  }));
}

const episodes = JSON.parse(document.getElementById("transcripts").textContent);

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function choices(place, label, names, chosen, choose, classes) {
  place.replaceChildren(make("span", "label", label));
  names.forEach((name, number) => {
    const button = make("button", classes ? classes[number] : "", name);
    button.type = "button";
    button.setAttribute("aria-pressed", String(number === chosen));
    button.addEventListener("click", () => choose(number));
    place.append(button);
  });
}

function showPersona(place, episode) {
  const list = make("dl");
  for (const [heading, text] of episode.card) list.append(make("dt", "", heading), make("dd", "", text));
  place.replaceChildren(make("h4", "", "Who the user is"), list);
  if (episode.brief) {
    const details = make("details");
    details.append(make("summary", "", "What the agent was told"), make("p", "brief", episode.brief));
    place.append(details);
  }
  place.append(make("p", "small", `${episode.task}, ${episode.users} users, seed ${episode.seed}`));
}

function showBelief(belief, most) {
  const line = make("div", "belief");
  const bits = make("span", "bits");
  const meter = make("meter");
  meter.max = most;
  meter.value = belief.bits;
  meter.title = "bits still unknown about the person";
  bits.append(meter, `${belief.bits.toFixed(1)} bits unknown`);
  line.append(bits);
  for (const [factor, value, chance, truth] of belief.top.slice(0, 5)) {
    const mark = truth === true ? " ✓" : "";
    line.append(make("span", truth === true ? "right" : "", `${factor}: ${value} ${Math.round(100 * chance)} %${mark}`));
  }
  return line;
}

const ENDS = {
  accept: "the user accepted", leave: "the user left", agent: "the agent said goodbye", cap: "out of turns",
  error: "the agent failed",
};

function showDialogue(place, play) {
  place.replaceChildren();
  const first = play.turns.find((turn) => turn.belief);
  const most = first ? first.belief.bits : 1;
  for (const turn of play.turns) {
    const row = make("div", turn.who === 0 ? "turn agent" : "turn");
    row.append(make("div", "who", turn.who === 0 ? play.agent : "user"), make("div", "bubble", turn.text || "(nothing)"));
    if (turn.acts.length) {
      const acts = make("div", "acts");
      turn.acts.forEach((act) => acts.append(make("span", "", act)));
      row.append(acts);
    }
    if (turn.belief) row.append(showBelief(turn.belief, most));
    place.append(row);
  }
  const words = [play.success ? "Success" : "No success", ENDS[play.end] ?? play.end, `graded ${play.graded.toFixed(2)}`];
  place.append(make("div", play.success ? "verdict won" : "verdict lost", words.filter(Boolean).join(" · ")));
  if (play.error) place.append(make("p", "small", play.error));
}

function reader() {
  const [people, agents, persona, dialogue] =
    ["people", "agents", "persona", "dialogue"].map((id) => document.getElementById(id));
  let person = 0;
  let agent = "";
  const best = (episode) => Math.max(0, episode.plays.findIndex((play) => play.success && play.agent !== "oracle"));

  function show() {
    const episode = episodes[person];
    let number = episode.plays.findIndex((play) => play.agent === agent);
    if (number < 0) number = best(episode);
    const counts = {};
    const names = episodes.map((other) => {
      const name = episodes.some((e) => e.task !== other.task) ? `${other.task} ${other.family}` : other.family;
      counts[name] = (counts[name] ?? 0) + 1;
      return counts[name] > 1 ? `${name} ${counts[name]}` : name;
    });
    choices(people, "Person", names, person, (chosen) => { person = chosen; show(); },
      episodes.map((other) => other.users === "hard" ? "hard" : "typical"));
    choices(agents, "Agent", episode.plays.map((play) => play.agent), number,
      (chosen) => { agent = episode.plays[chosen].agent; show(); },
      episode.plays.map((play) => play.success ? "won" : "lost"));
    showPersona(persona, episode);
    showDialogue(dialogue, episode.plays[number]);
  }
  if (people && episodes.length) show();
}
reader();
