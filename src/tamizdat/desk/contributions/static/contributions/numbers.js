// SPDX-License-Identifier: AGPL-3.0-or-later
// Draws each figure's numbers (pages/numbers/charts.py) with Chart.js.
//
// What always holds: whatever is drawn stands in the figure's table too, so nothing is lost without
// this script. Nothing moves. What lies beside another is told apart by pattern, dash or mark, not
// by colour alone. Colours are the page's own, and change with it.
"use strict";

(() => {
  const { Chart } = window;

  // Colour, and for bars a pattern, for lines a dash, for points a mark.
  const LOOKS = {
    monthly: { colour: 1, pattern: "full" },
    once: { colour: 2, pattern: "rising" },
    annual: { colour: 3, pattern: "dots" },
    other: { colour: 4, pattern: "level" },
    fees: { colour: "cost", pattern: "falling" },
    refunds: { colour: "bad", pattern: "crossed" },
    disputes: { colour: "bad", pattern: "full" },
    promised: { colour: 1, pattern: "rising" },
    line: { colour: "line", mark: "circle", dash: [] },
    expected: { colour: "line", mark: "circle", dash: [5, 4] },
    new: { colour: 1, pattern: "full" },
    regained: { colour: 3, pattern: "dots" },
    lapsed: { colour: "bad", pattern: "rising" },
    failing: { colour: "line", mark: "crossRot" },
    paid: { colour: 1, pattern: "full" },
    pending: { colour: 4, pattern: "rising" },
    failed: { colour: "bad", pattern: "crossed" },
    range: { colour: 4, pattern: "full" },
    share: { colour: 1, mark: "rectRot" },
    drawn: { colour: "line", mark: "line", turned: true },
  };
  const STROKES = {
    rising: [[0, 8, 8, 0], [-2, 2, 2, -2], [6, 10, 10, 6]],
    falling: [[0, 0, 8, 8], [-2, 6, 2, 10], [6, -2, 10, 2]],
    level: [[0, 2, 8, 2], [0, 6, 8, 6]],
    crossed: [[0, 8, 8, 0], [0, 0, 8, 8]],
  };

  function paints(figure) {
    const probe = figure.appendChild(document.createElement("span"));
    const found = {};
    for (const name of [1, 2, 3, 4, "bad", "cost", "line", "text", "rule", "page"]) {
      probe.style.color = `var(--num-${name})`;
      found[name] = getComputedStyle(probe).color;
    }
    found.font = getComputedStyle(probe).fontFamily;
    probe.remove();
    return found;
  }

  function pattern(kind, colour, page) {
    if (kind === "full") return colour;
    const tile = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
    const pen = tile.getContext("2d");
    pen.fillStyle = page;
    pen.fillRect(0, 0, 8, 8);
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = 1.75;
    for (const [x, y, toX, toY] of STROKES[kind] || []) {
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(toX, toY);
      pen.stroke();
    }
    for (const [x, y] of kind === "dots" ? [[2, 2], [6, 6]] : []) {
      pen.beginPath();
      pen.arc(x, y, 1.5, 0, 7);
      pen.fill();
    }
    return pen.createPattern(tile, "repeat");
  }

  // --- What is told: amounts with their digits, counts, shares.

  function teller(plot) {
    const digits = { minimumFractionDigits: plot.digits, maximumFractionDigits: plot.digits };
    const one = (value) => {
      if (plot.unit === "share") return `${Math.round(value * 100)}%`;
      if (plot.unit === "count") return value.toLocaleString("en");
      return `${(value / 10 ** plot.digits).toLocaleString("en", digits)} ${plot.currency}`;
    };
    return (value) => (Array.isArray(value) ? value.map(one).join(" – ") : one(value));
  }

  function axisTeller(plot) {
    if (plot.unit === "share") return (value) => `${Math.round(value * 100)}%`;
    const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
    const scale = plot.unit === "money" ? 10 ** plot.digits : 1;
    return (value) => short.format(value / scale).replace("-", "−");
  }

  // --- From a plot to what Chart.js wants.

  function dataset(series, plot, paint) {
    const look = LOOKS[series.look];
    const colour = paint[look.colour];
    const sign = series.down ? -1 : 1;
    const common = {
      label: series.name,
      told: series.values,
      data: series.values.map((v) => (v === null || Array.isArray(v) ? v : sign * v)),
      borderColor: colour,
      [plot.across ? "xAxisID" : "yAxisID"]: plot.across ? "x" : series.lower ? "lower" : "y",
      indexAxis: plot.across ? "y" : "x",
    };
    if (series.draw === "bar" || series.draw === "range") {
      const fill = pattern(look.pattern, colour, paint.page);
      const shape = series.draw === "range"
        ? { barThickness: 6, grouped: false }
        : { borderWidth: 1, categoryPercentage: 0.8, barPercentage: plot.across ? 0.8 : 0.95 };
      return { ...common, type: "bar", order: 2, backgroundColor: fill, hoverBackgroundColor: fill,
        borderSkipped: false, minBarLength: 0, ...shape };
    }
    const points = series.draw === "points";
    return {
      ...common, type: "line", order: 1, showLine: !points, tension: 0, borderWidth: 2,
      borderDash: look.dash || [], pointStyle: look.mark, pointRotation: look.turned ? 90 : 0,
      pointRadius: points ? (look.turned ? 11 : 6) : plot.labels.length > 24 ? 0 : 3,
      pointHoverRadius: points ? (look.turned ? 12 : 7) : 5, pointBorderColor: colour,
      pointBackgroundColor: colour, pointBorderWidth: points ? 2.5 : 1, backgroundColor: colour,
      spanGaps: true,
    };
  }

  function scales(plot, paint) {
    const text = { color: paint.text, font: { family: paint.font, size: 12 } };
    const rule = { color: paint.rule, drawTicks: false };
    const amount = {
      stacked: plot.stacked, beginAtZero: true, grid: rule, border: { display: false },
      ticks: { ...text, padding: 6, maxTicksLimit: 9, callback: axisTeller(plot),
        precision: plot.unit === "count" ? 0 : undefined },
    };
    const years = plot.ticks.some((tick) => tick[0] === "");
    const names = {
      type: "category", stacked: plot.stacked, grid: { display: false },
      border: { color: paint.rule },
      ticks: { ...text, autoSkip: !years && !plot.across, maxRotation: 0, padding: 4,
        callback: (_, place) => plot.ticks[place] },
    };
    if (plot.across) {
      const most = plot.unit === "share" ? { min: 0, max: 1 } : {};
      return { x: { ...amount, ...most }, y: names };
    }
    if (!plot.series.some((series) => series.lower)) return { x: names, y: amount };
    const half = { ...amount, offset: true, stack: "halves" };
    return {
      x: names,
      lower: { ...half, stackWeight: 3, ticks: { ...half.ticks, maxTicksLimit: 5 } },
      y: { ...half, stackWeight: 2, beginAtZero: false, ticks: { ...half.ticks, maxTicksLimit: 4 } },
    };
  }

  function legend(paint) {
    const usual = Chart.defaults.plugins.legend.labels.generateLabels;
    return {
      position: "top", align: "start",
      labels: {
        color: paint.text, font: { family: paint.font, size: 13 }, usePointStyle: true,
        boxHeight: 10, pointStyleWidth: 18, padding: 12,
        generateLabels: (chart) => usual(chart).map((item) => {
          const { type, showLine, pointStyle } = chart.data.datasets[item.datasetIndex];
          const mark = type === "bar" ? "rect" : showLine ? "line" : pointStyle;
          return { ...item, pointStyle: mark, rotation: 0, lineWidth: type === "bar" ? 1 : 2 };
        }),
      },
    };
  }

  // The legend stands apart from the uppermost number.
  const APART = {
    id: "apart",
    beforeInit: ({ legend: found }) => {
      const fit = found.fit.bind(found);
      found.fit = () => {
        fit();
        found.height += 10;
      };
    },
  };

  function tooltip(plot, paint) {
    const tell = teller(plot);
    return {
      backgroundColor: paint.page, titleColor: paint.line, bodyColor: paint.line,
      borderColor: paint.rule, borderWidth: 1, cornerRadius: 0, padding: 10, usePointStyle: true,
      titleFont: { family: paint.font }, bodyFont: { family: paint.font },
      filter: (item) => item.dataset.told[item.dataIndex] !== null,
      callbacks: {
        title: (items) => (items.length ? plot.labels[items[0].dataIndex] : ""),
        label: (item) => `${item.dataset.label}: ${tell(item.dataset.told[item.dataIndex])}`,
        labelPointStyle: (item) => ({
          pointStyle: item.dataset.type === "bar" ? "rect" : item.dataset.pointStyle || "line",
          rotation: 0,
        }),
      },
    };
  }

  function draw(figure) {
    const plot = JSON.parse(document.getElementById(figure.dataset.plot).textContent);
    const box = figure.querySelector(".num-plot");
    const paint = paints(figure);
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", figure.querySelector(".num-words").textContent);
    box.replaceChildren(canvas);
    if (plot.across) box.style.height = `${6.5 + plot.labels.length * 3.25}rem`;
    box.classList.toggle("is-tall", plot.series.some((series) => series.lower));
    box.hidden = false;
    const chart = new Chart(canvas, {
      plugins: [APART],
      data: {
        labels: plot.labels,
        datasets: plot.series.map((series) => dataset(series, plot, paint)),
      },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false,
        indexAxis: plot.across ? "y" : "x",
        interaction: { mode: "index", intersect: false, axis: plot.across ? "y" : "x" },
        scales: scales(plot, paint),
        plugins: { legend: legend(paint), tooltip: tooltip(plot, paint) },
      },
    });
    figure.dataset.drawn = "yes";
    return chart;
  }

  const figures = [...document.querySelectorAll("figure[data-plot]")];
  let charts = figures.map(draw);

  // The page became light or dark: its colours are read again.
  let waiting = 0;
  const again = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => {
      for (const chart of charts) chart.destroy();
      charts = figures.map(draw);
    });
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  new MutationObserver(again)
    .observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  addEventListener("beforeprint", () => charts.forEach((chart) => chart.resize()));
})();
