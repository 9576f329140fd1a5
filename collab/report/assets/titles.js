"use strict";
// Finding a title, as the macros of collab/release/sql/titles.sql do; tests/titles.py holds the
// cases that both must answer alike. Folded titles come from the published table as they are there.
const LETTERS = { ø: "o", ł: "l", đ: "d", ð: "d", ħ: "h", ı: "i", ß: "ss", æ: "ae", œ: "oe", þ: "th", "&": " and " };
const ARTICLE = /^(.+), (The|An?|L[eao]s?|L['’]|Une?|Una|El|Il|I|Gli|Uno|Der|Die|Das|Den|Eine?|De|Det|Het|En|Ett?|Os?|As|Uma?)( \(|$)/i;
const CLOSE = 0.85;

function fold(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").normalize("NFC").toLowerCase()
    .replace(/[øłđðħıßæœþ&]/g, (letter) => LETTERS[letter])
    .replace(/['’‘ʼ´`′]/g, "").replace(/\b([a-z])\./g, "$1").replace(/[^\p{L}\p{N}]+/gu, " ").trim();
}

function foldQuery(text) {
  return fold(text.replace(ARTICLE, "$2 $1$3").replace(/^(L['’]) /i, "$1"));
}

// 1 it is a title, 2 begins one, 3 stands in one, 4 its words do, in any order; 0: it does not
function titleFit(folded, words) {
  if (!words || !words.split(" ").every((word) => folded.includes(` ${word}`))) return 0;
  if (folded.includes(`| ${words} |`) || folded.includes(`| ${words} ${folded.slice(-6)}`)) return 1;
  if (folded.includes(`| ${words}`)) return 2;
  return folded.includes(` ${words}`) ? 3 : 4;
}

// places in a list of folded titles, most rated first: best fit first
function findTitles(titles, query) {
  const words = foldQuery(query);
  const fits = titles.map((folded) => titleFit(folded, words));
  return [...fits.keys()].filter((at) => fits[at]).sort((a, b) => fits[a] - fits[b] || a - b);
}

// places of the titles spelt most like a query, for when none fits
function closeTitles(titles, query) {
  const words = foldQuery(query);
  const names = (folded) => folded.replaceAll(` ${folded.slice(-6)}`, " |").slice(2, -2).split(" | ");
  const like = titles.map((folded) => Math.max(...names(folded).map((name) => jaroWinkler(name, words))));
  return [...like.keys()].filter((at) => like[at] >= CLOSE).sort((a, b) => like[b] - like[a] || a - b);
}

function jaroWinkler(a, b) {
  const reach = Math.max(Math.floor(Math.max(a.length, b.length) / 2) - 1, 0);
  const taken = new Set();
  const matched = [...a].filter((letter, i) => {
    for (let j = Math.max(i - reach, 0); j < Math.min(i + reach + 1, b.length); j++) {
      if (b[j] === letter && !taken.has(j)) return taken.add(j);
    }
    return false;
  });
  const m = matched.length;
  if (!m) return 0;
  const others = [...taken].sort((i, j) => i - j);
  const swapped = Math.floor(matched.filter((letter, i) => letter !== b[others[i]]).length / 2);
  const jaro = (m / a.length + m / b.length + (m - swapped) / m) / 3;
  let prefix = 0;
  while (prefix < 4 && a[prefix] && a[prefix] === b[prefix]) prefix++;
  return jaro > 0.7 ? jaro + prefix * 0.1 * (1 - jaro) : jaro;
}
