"use strict";
const read = (id) => JSON.parse(document.getElementById(id).textContent);

// The plots. `ast` interprets Vega's expressions, so that the page needs no right to evaluate text.
const options = { renderer: "svg", actions: false, ast: true, defaultStyle: false, tooltip: { disableDefaultStyle: true } };
const plots = read("plots");
const views = {};
const drawn = [...document.querySelectorAll("[data-plot]")].map(async (place) => {
  const name = place.dataset.plot;
  views[name] = (await vegaEmbed(place, plots[name], options)).view;
});
Promise.all(drawn).then(() => { document.documentElement.dataset.drawn = "true"; });

// The map's legend: one genre at a time, or all.
const genres = document.getElementById("genres");
genres.addEventListener("click", ({ target }) => {
  if (!target.dataset.genre) return;
  const on = target.getAttribute("aria-pressed") !== "true";
  for (const key of genres.children) key.setAttribute("aria-pressed", String(on && key === target));
  views.map.signal("genre", on ? target.dataset.genre : "").runAsync();
});

// The search, by titles.js.
const SHOWN = 8;
const CLOSEST = 3;
const movies = read("movies");
const query = document.getElementById("query");
const matches = document.getElementById("matches");
const choices = () => [...matches.querySelectorAll("[role=option]")];
let active = 0;

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function choose(at) {
  document.getElementById("chosen").textContent = `${movies.titles[at]}, ${movies.ratings[at].toLocaleString("en")} ratings`;
  const rows = [];
  for (let i = 0; i < movies.near[at].length; i += 2) rows.push(neighborRow(...movies.near[at].slice(i, i + 2)));
  document.getElementById("neighbors").replaceChildren(...rows);
  close();
}

function neighborRow(at, hundredths) {
  const bar = element("span", "", "bar");
  bar.append(element("i", ""));
  bar.firstChild.style.width = `${Math.max(0, hundredths)}%`;
  const track = element("td", "", "track");
  track.append(bar, element("b", (hundredths / 100).toFixed(2)));
  const row = document.createElement("tr");
  row.append(element("td", movies.titles[at]), track, element("td", movies.ratings[at].toLocaleString("en"), "number"));
  return row;
}

function show() {
  active = 0;
  const fitting = findTitles(movies.folded, query.value).slice(0, SHOWN);
  const meant = !fitting.length && query.value.trim() ? closeTitles(movies.folded, query.value).slice(0, CLOSEST) : [];
  const found = fitting.length ? fitting : meant;
  matches.replaceChildren(...found.map((at, nth) => {
    const option = element("li", movies.titles[at]);
    Object.assign(option, { id: `match-${nth}`, role: "option" });
    option.dataset.movie = at;
    return option;
  }));
  if (meant.length) matches.prepend(element("li", "No such title. Did you mean", "note"));
  else if (query.value.trim() && !found.length) matches.append(element("li", "No such title", "note"));
  matches.hidden = !matches.children.length;
  query.setAttribute("aria-expanded", String(!matches.hidden));
  mark();
}

function mark() {
  choices().forEach((option, nth) => option.setAttribute("aria-selected", String(nth === active)));
  if (matches.hidden || !choices().length) query.removeAttribute("aria-activedescendant");
  else query.setAttribute("aria-activedescendant", `match-${active}`);
}

function close() {
  matches.hidden = true;
  query.setAttribute("aria-expanded", "false");
  mark();
}

function take(option) {
  if (!option?.dataset.movie) return;
  query.value = option.textContent;
  choose(Number(option.dataset.movie));
}

query.addEventListener("input", show);
query.addEventListener("focus", () => query.select());
query.addEventListener("blur", close);
query.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    active = Math.max(Math.min(active + step, choices().length - 1), 0);
    mark();
    event.preventDefault();
  } else if (event.key === "Enter") take(choices()[active]);
  else if (event.key === "Escape") close();
});
matches.addEventListener("mousedown", (event) => {
  event.preventDefault(); // before the box loses focus
  take(event.target.closest("li"));
});
choose(0);
