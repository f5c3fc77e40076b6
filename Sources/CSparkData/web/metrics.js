// Fills the page: every ten seconds requests the charts' values and the alerts from this server only, and draws them.
"use strict";

(() => {
  const namespace = "http://www.w3.org/2000/svg";
  const chart = { left: 60, right: 394, top: 8, bottom: 138 };
  const colours = 8;
  const pause = 10000;
  let answers = 0;

  const numbers = {
    seconds: (v) => (v >= 1 ? longer(v) : v >= 0.001 ? digits(v * 1000) + " ms" : digits(v * 1e6) + " µs"),
    bytes: (v) => scaled(v, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]),
    // Close to all, the difference counts: 99.95 %, not 100 %.
    ratio: (v) => (v > 0.99 && v < 1 ? String(Number((v * 100).toFixed(3))) : digits(v * 100)) + " %",
    count: (v) => scaled(v, 1000, ["", "k", "M", "G"]),
    per_second: (v) => digits(v) + " /s",
    per_minute: (v) => digits(v) + " /min",
    cores: (v) => digits(v),
  };

  function digits(value) {
    if (value === 0) return "0";
    const size = Math.abs(value);
    // Converts to a number again, which removes trailing zeros.
    return String(Number(size >= 100 ? value.toFixed(0) : size >= 0.01 ? value.toPrecision(3) : value.toPrecision(2)));
  }

  function longer(seconds) {
    return seconds >= 172800 ? digits(seconds / 86400) + " d" : seconds >= 7200 ? digits(seconds / 3600) + " h" : digits(seconds) + " s";
  }

  function scaled(value, base, units) {
    let unit = 0;
    while (Math.abs(value) >= base && unit < units.length - 1) {
      value /= base;
      unit += 1;
    }
    const text = Number.isInteger(value) && Math.abs(value) < 1000 ? String(value) : digits(value);
    return units[unit] ? text + " " + units[unit] : text;
  }

  function shape(name, attributes, text) {
    const element = document.createElementNS(namespace, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function cell(name, text) {
    const element = document.createElement(name);
    element.textContent = text;
    return element;
  }

  // The smallest of 1, 2, 5, 10, … that is not smaller.
  function ceiling(value, unit) {
    if (!(value > 0)) return 1;
    if (unit === "bytes") return Math.pow(2, Math.ceil(Math.log2(value * 0.999)));
    const power = Math.pow(10, Math.floor(Math.log10(value)));
    return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999);
  }

  function clock(time) {
    const date = new Date(time);
    return String(date.getHours()).padStart(2, "0") + ":" + String(date.getMinutes()).padStart(2, "0");
  }

  function draw(figure, times, lines) {
    const svg = figure.querySelector("svg");
    const body = figure.querySelector("tbody");
    const write = numbers[figure.dataset.unit];
    const first = times[0];
    const span = Math.max(1, times[times.length - 1] - first);
    const known = lines.flatMap((line) => line.values.filter((value) => value !== null));
    const top = figure.dataset.unit === "ratio" ? 1 : ceiling(Math.max(0, ...known), figure.dataset.unit);
    const x = (time) => chart.left + ((time - first) / span) * (chart.right - chart.left);
    const y = (value) => chart.bottom - (Math.max(0, value) / top) * (chart.bottom - chart.top);
    const parts = [];
    for (const share of [0, 0.5, 1]) {
      const height = y(top * share);
      parts.push(shape("line", { class: "grid", x1: chart.left, x2: chart.right, y1: height, y2: height }));
      parts.push(shape("text", { class: "axis", x: chart.left - 5, y: height + 4, "text-anchor": "end" }, write(top * share)));
    }
    for (const [share, anchor] of [[0, "start"], [0.5, "middle"], [1, "end"]]) {
      const time = first + span * share;
      parts.push(shape("text", { class: "axis", x: x(time), y: 155, "text-anchor": anchor }, clock(time)));
    }
    // The line is interrupted where nothing was recorded.
    const gap = 3.5 * median(times.slice(1).map((time, index) => time - times[index]));
    const rows = [];
    lines.forEach((line, index) => {
      const colour = "c" + (index % colours);
      let path = "";
      let last = null;
      line.values.forEach((value, place) => {
        if (value === null) return;
        const time = times[place];
        path += (last === null || time - last > gap ? "M" : "L") + x(time).toFixed(1) + " " + y(value).toFixed(1);
        last = time;
      });
      if (path) parts.push(shape("path", { class: "line " + colour, d: path, "fill-opacity": 0 }));
      const values = line.values.filter((value) => value !== null);
      const row = document.createElement("tr");
      const head = cell("th", line.title || figure.querySelector("figcaption").textContent);
      head.scope = "row";
      const key = shape("svg", { class: "key", viewBox: "0 0 11 7", "aria-hidden": "true" });
      key.append(shape("rect", { class: colour, width: 11, height: 7 }));
      head.prepend(key);
      const newest = line.values[line.values.length - 1];
      row.append(head, cell("td", newest === null || newest === undefined ? "–" : write(newest)));
      row.append(cell("td", values.length ? write(Math.max(...values)) : "–"));
      rows.push(row);
    });
    if (!known.length) {
      parts.push(shape("text", { class: "axis", x: 223, y: 80, "text-anchor": "middle" }, "nothing recorded"));
      if (!rows.length) {
        const row = document.createElement("tr");
        const head = cell("th", "nothing recorded");
        head.scope = "row";
        row.append(head, cell("td", "–"), cell("td", "–"));
        rows.push(row);
      }
    }
    svg.replaceChildren(...parts);
    body.replaceChildren(...rows);
  }

  function median(values) {
    if (!values.length) return 1;
    return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
  }

  function list(rules) {
    const order = { firing: 0, pending: 1, resolved: 2 };
    const alerts = rules.data.groups
      .flatMap((group) => group.rules)
      .flatMap((rule) => rule.alerts)
      .sort((a, b) => order[a.state] - order[b.state]);
    const items = alerts.map((alert) => {
      const item = document.createElement("li");
      item.className = alert.state;
      const state = cell("span", alert.state + ": ");
      state.className = "state";
      const text = alert.annotations.summary || alert.annotations.description || "";
      item.append(state, alert.labels.alertname + (text ? ". " + text : "") + " (since " + clock(Date.parse(alert.activeAt)) + ")");
      return item;
    });
    if (!items.length) {
      const item = cell("li", "No alert.");
      item.className = "well";
      items.push(item);
    }
    document.getElementById("alerts").replaceChildren(...items);
  }

  async function ask(path) {
    const answer = await fetch(path, { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  async function refresh() {
    const status = document.getElementById("status");
    const number = ++answers;
    try {
      const window = document.querySelector("input[name=window]:checked").value;
      const [charts, rules] = await Promise.all([ask("/_/series?window=" + window), ask("/_/alerts")]);
      // Of two pending answers, the one to the later request counts.
      if (number !== answers) return;
      for (const figure of document.querySelectorAll("figure")) {
        draw(figure, charts.times, charts.panels[figure.dataset.panel] || []);
      }
      list(rules);
      const last = charts.times[charts.times.length - 1];
      status.textContent = last ? "As of " + new Date(last).toLocaleTimeString() : "Nothing recorded yet";
    } catch (error) {
      status.textContent = "The server does not answer; trying again.";
    }
  }

  for (const input of document.querySelectorAll("input[name=window]")) input.addEventListener("change", refresh);
  refresh();
  setInterval(() => { if (!document.hidden) refresh(); }, pause);
})();
