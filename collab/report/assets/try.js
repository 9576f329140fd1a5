// The panel: movies to rate, and what is expected of whoever rated them so.
{
  const ASKED = 6;
  const CANDIDATES = 6;
  const EXPECTED = 10;
  const Z = 1.2816; // of a normal distribution, 8 of 10 lie within so many standard deviations
  const LEAST_PULL = 0.03;
  const at = (id) => document.getElementById(id);
  const model = newcomer.decode(read("newcomer"));
  const axis = at("expected").dataset.axis.split(" ").map(Number);
  const folded = movies.folded.slice(0, model.start.length);
  const ratings = new Map();
  let turn = 0;
  const stars = (value) => Math.min(Math.max(value, model.low), model.high);
  const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
  const name = (movie) => movies.titles[movie].replace(/ \(\d{4}\)$/, "");

  function star(movie, value) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: `stars-${movie}`, value, checked: ratings.get(movie) === value });
    input.setAttribute("aria-label", `${value} star${value > 1 ? "s" : ""}`);
    label.append(input, element("span", value));
    return label;
  }

  function card(movie) {
    const made = element("fieldset", "", "card");
    made.dataset.movie = movie;
    const undo = element("button", "×", "undo");
    undo.type = "button";
    undo.setAttribute("aria-label", `Take back the stars of ${movies.titles[movie]}`);
    undo.hidden = !ratings.has(movie);
    made.append(element("legend", movies.titles[movie]), ...[1, 2, 3, 4, 5].map((value) => star(movie, value)), undo);
    return made;
  }

  // those rated, and the next to be asked about; after the last the first come again
  function ask() {
    const open = model.starters.filter((movie) => !ratings.has(movie));
    const first = open.length ? (turn * ASKED) % open.length : 0;
    const asked = [...open.slice(first), ...open.slice(0, first)].slice(0, ASKED);
    at("cards").replaceChildren(...[...ratings.keys(), ...asked].map(card));
  }

  function expectedRow({ at: movie, score, sd, pulls }) {
    const place = (value) => `${(100 * (stars(value) - axis[0])) / (axis[1] - axis[0])}%`;
    const strip = element("span", "", "dot");
    const line = element("s", "");
    line.style.left = place(score - Z * sd);
    line.style.right = `calc(100% - ${place(score + Z * sd)})`;
    const dot = element("i", "");
    dot.style.left = place(score);
    strip.append(line, dot);
    const track = element("td", "", "track");
    const ends = [score - Z * sd, score + Z * sd].map((end) => stars(end).toFixed(1));
    track.append(strip, element("b", stars(score).toFixed(1)), element("small", ends.join(" to ")));
    const title = element("td", movies.titles[movie], "name");
    title.append(element("small", why(movie, pulls)));
    const row = document.createElement("tr");
    row.append(title, track);
    return row;
  }

  function why(movie, pulls) {
    const largest = pulls.filter(({ pull }) => Math.abs(pull) >= LEAST_PULL).sort((a, b) => Math.abs(b.pull) - Math.abs(a.pull));
    const parts = largest.slice(0, 3).map((rated) => `${name(rated.at)} ${signed(rated.pull)}`);
    return [`for anyone ${stars(model.start[movie]).toFixed(2)}`, ...parts].join("; ");
  }

  function tell() {
    const found = newcomer.recommend(model, [...ratings], EXPECTED).filter(({ sd }) => Number.isFinite(sd));
    const n = ratings.size;
    const first = found.length ? "Before any rating, anyone might like" : "Rate a movie to begin";
    at("outcome").textContent = n ? `After ${n} rating${n > 1 ? "s" : ""}, you might like` : first;
    at("expected").replaceChildren(...found.map(expectedRow));
  }

  function search() {
    const text = at("wanted").value;
    const fitting = findTitles(folded, text);
    const places = (fitting.length || !text.trim() ? fitting : closeTitles(folded, text)).slice(0, CANDIDATES);
    at("candidates").replaceChildren(...places.map((movie) => {
      const item = document.createElement("li");
      const button = element("button", movies.titles[movie]);
      Object.assign(button, { type: "button" }).dataset.movie = movie;
      item.append(button);
      return item;
    }));
    if (text.trim() && !fitting.length) {
      const note = `No such title among the ${folded.length.toLocaleString("en")} most rated`;
      at("candidates").prepend(element("li", places.length ? `${note}. Did you mean` : note, "note"));
    }
    at("candidates").hidden = !text.trim();
  }

  function add(movie) {
    at("wanted").value = "";
    search();
    const there = at("cards").querySelector(`[data-movie="${movie}"]`) ?? card(movie);
    at("cards").prepend(there);
    there.querySelector("input").focus();
  }

  const box = at("wanted").parentElement;
  box.addEventListener("focusout", ({ relatedTarget }) => {
    if (!box.contains(relatedTarget)) at("candidates").hidden = true;
  });
  at("candidates").addEventListener("mousedown", (event) => event.preventDefault()); // keeps the focus, and so the list
  at("wanted").addEventListener("input", search);
  at("wanted").addEventListener("focus", search);
  at("wanted").addEventListener("keydown", (event) => {
    const first = at("candidates").querySelector("button");
    if (event.key === "Enter" && first) add(Number(first.dataset.movie));
    else if (event.key === "Escape") Object.assign(at("candidates"), { hidden: true });
    else if (event.key === "ArrowDown" && first) first.focus();
    else return;
    event.preventDefault();
  });
  at("candidates").addEventListener("click", ({ target }) => {
    if (target.dataset.movie) add(Number(target.dataset.movie));
  });
  at("cards").addEventListener("change", ({ target }) => {
    const made = target.closest("fieldset");
    ratings.set(Number(made.dataset.movie), Number(target.value));
    made.querySelector(".undo").hidden = false;
    tell();
  });
  at("cards").addEventListener("click", ({ target }) => {
    if (!target.classList.contains("undo")) return;
    const made = target.closest("fieldset");
    ratings.delete(Number(made.dataset.movie));
    for (const input of made.querySelectorAll("input")) input.checked = false;
    made.querySelector("input").focus();
    target.hidden = true;
    tell();
  });
  at("others").addEventListener("click", () => {
    turn += 1;
    ask();
  });
  at("reset").addEventListener("click", () => {
    ratings.clear();
    turn = 0;
    ask();
    tell();
  });
  ask();
  tell();
}
