// Finds names in the index. The index comes as scripts, because browsers read no other file from disk.
const contractSearch = (() => {
  const own = document.currentScript, root = own.dataset.root;
  const form = document.querySelector(".search"), input = form.querySelector("input"), list = form.querySelector(".results");
  const parts = new Map(), waiting = new Map();
  let table = null, latest = 0;
  const MOST = 40, MOST_PARTS = 6;

  const load = (path) => new Promise((done) => {
    const script = document.createElement("script");
    script.src = root + path;
    script.onload = script.onerror = done;
    document.head.append(script);
  });
  const once = (path) => waiting.get(path) || waiting.set(path, load(path)).get(path);
  const wordsOf = (text) => text.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase().match(/[^\W_]+|[^\x00-\x7f]+/gu) || [];

  // The parts of the index that hold the words which begin with a word.
  const partsFor = (word) => {
    const all = Object.keys(table);
    const inside = all.filter((prefix) => word.startsWith(prefix.trimEnd()) && (!prefix.endsWith(" ") || word === prefix.trimEnd()));
    const longest = Math.max(-1, ...inside.map((prefix) => prefix.length));
    return [...new Set([...inside.filter((prefix) => prefix.length === longest || prefix.endsWith(" ")),
      ...all.filter((prefix) => prefix.startsWith(word))])];
  };

  const find = async (query) => {
    const words = wordsOf(query);
    if (!words.length) return null;
    await once("search/parts.js");
    const choices = words.map(partsFor).filter((each) => each.length);
    choices.sort((a, b) => a.filter((each) => table[each][1]).length - b.filter((each) => table[each][1]).length || a.length - b.length);
    const chosen = (choices[0] || []).slice(0, MOST_PARTS);
    await Promise.all(chosen.map((prefix) => once(table[prefix][0])));
    const found = new Map();
    for (const prefix of chosen) {
      for (const row of parts.get(prefix) || []) {
        const known = wordsOf(row[0] + " " + row[1]);
        if (words.every((word) => known.some((each) => each.startsWith(word)))) found.set(row[3], row);
      }
    }
    const more = (choices[0] || []).length > MOST_PARTS || chosen.some((prefix) => table[prefix][1]);
    const rank = (row) => (row[0].toLowerCase() === query.toLowerCase() ? 0 : row[2] === "field" ? 2 : 1);
    return { rows: [...found.values()].sort((a, b) => rank(a) - rank(b) || a[0].length - b[0].length), more };
  };

  const show = (result) => {
    list.replaceChildren();
    if (!result) return;
    const items = document.createElement("ul");
    for (const [name, within, kind, page] of result.rows.slice(0, MOST)) {
      const link = document.createElement("a"), about = document.createElement("span");
      link.href = root + page;
      link.textContent = name + " ";
      about.className = "kind";
      about.textContent = within ? `${kind}, ${within}` : kind;
      link.append(about);
      const item = document.createElement("li");
      item.append(link);
      items.append(item);
    }
    const note = document.createElement("p");
    const left = result.rows.length - MOST;
    note.textContent = !result.rows.length ? "Nothing found." : left > 0 || result.more ? "There is more. Type another word." : "";
    list.append(items, ...(note.textContent ? [note] : []));
  };

  const search = async () => {
    const number = ++latest, result = await find(input.value);
    if (number === latest) show(result);
  };
  input.addEventListener("input", search);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = list.querySelector("a");
    if (first) first.click();
  });
  form.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")], at = links.indexOf(document.activeElement);
    if (event.key === "Escape") { list.replaceChildren(); input.focus(); }
    else if (event.key === "ArrowDown" && links.length) { event.preventDefault(); links[Math.min(at + 1, links.length - 1)].focus(); }
    else if (event.key === "ArrowUp" && links.length) { event.preventDefault(); (at > 0 ? links[at - 1] : input).focus(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== input) { event.preventDefault(); input.focus(); }
  });
  document.addEventListener("click", (event) => { if (!form.contains(event.target)) list.replaceChildren(); });
  form.hidden = false;
  return { parts: (found) => { table = found; }, add: (prefix, rows) => parts.set(prefix, rows), find };
})();
